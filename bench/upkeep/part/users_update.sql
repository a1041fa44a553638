\ir ../../before.sql
UPDATE users SET login_count = login_count + 1;
\ir ../../after.sql
VACUUM users;
