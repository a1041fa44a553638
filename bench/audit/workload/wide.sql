-- One column of 60 changes: whoever copies the row pays for the other 59. Fewer
-- rows, because that payment is what makes a round long.
SELECT :rows / 4 AS count
\gset
\ir ../part/wide.sql

\ir ../../before.sql
UPDATE wide SET v = v + 1;
\set name wide.update
\ir ../../after.sql
