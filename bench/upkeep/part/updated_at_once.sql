\ir ../../before.sql
UPDATE users SET login_count = login_count + 1;
\set name updated_at.update
\ir ../../after.sql
VACUUM users;
