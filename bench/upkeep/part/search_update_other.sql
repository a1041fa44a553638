\ir ../../before.sql
UPDATE docs SET view_count = view_count + 1;
\ir ../../after.sql
VACUUM docs;
