\ir ../../before.sql
UPDATE docs SET view_count = view_count + 1;
\set name search_update.other
\ir ../../after.sql
VACUUM docs;
