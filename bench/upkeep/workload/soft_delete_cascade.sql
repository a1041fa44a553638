-- contenders: none pg_steward
-- rounds: 3
-- DELETE of parents with ten children each, which go along: by the server's own
-- cascade, or stamped. There are as many parents as a tenth of :rows.
CREATE TABLE parents (id bigint PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE children (id bigint PRIMARY KEY, parent_id bigint REFERENCES parents ON DELETE CASCADE, name text, deleted_at timestamptz);
CREATE INDEX ON children (parent_id);
INSERT INTO parents SELECT i, 'parent ' || i FROM generate_series(1, :rows / 10) i;
INSERT INTO children SELECT i, 1 + (i - 1) / 10, 'child ' || i FROM generate_series(1, :rows) i;
\set column soft_delete
\set table children
\ir :contender
\set table parents
\ir :contender
VACUUM ANALYZE parents, children;
CHECKPOINT;

\set events (:rows/10)
\ir ../../before.sql
DELETE FROM parents;
\set name soft_delete_cascade.delete
\ir ../../after.sql
