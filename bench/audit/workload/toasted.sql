-- A large value that nobody touches: whoever copies the row copies it as well.
SELECT :rows / 20 AS count
\gset
\ir ../part/toasted.sql

\ir ../../before.sql
UPDATE toasted SET v = v + 1;
\set name toasted.update
\ir ../../after.sql
