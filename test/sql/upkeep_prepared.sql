-- Transactions that are prepared, and cursors: stamps, versions and refusals hold in them, too.
\set SHOW_CONTEXT never
SELECT current_setting('max_prepared_transactions')::integer = 0 AS skip_prepared \gset

CREATE TABLE prepared (id integer PRIMARY KEY, n integer, updated_at timestamptz DEFAULT '2000-01-01', by text, version integer DEFAULT 1);
INSERT INTO prepared VALUES (1, 1), (2, 2);
SELECT count(*) FROM steward.updated_at_enable('prepared', by => 'by');
SELECT count(*) FROM steward.row_version_enable('prepared');
SET app.current_user_id = 'ann';
\if :skip_prepared
UPDATE prepared SET n = 10 WHERE id = 1;
\else
BEGIN;
UPDATE prepared SET n = 10 WHERE id = 1;
PREPARE TRANSACTION 'regress_upkeep_1';
BEGIN;
UPDATE prepared SET n = 20 WHERE id = 2;
PREPARE TRANSACTION 'regress_upkeep_2';
COMMIT PREPARED 'regress_upkeep_1';
ROLLBACK PREPARED 'regress_upkeep_2';
\endif
SELECT id, n, updated_at > '2010-01-01' AS stamped, by, version FROM prepared ORDER BY id;
-- a cursor's row
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM prepared ORDER BY id FOR UPDATE;
MOVE 2 IN c;
UPDATE prepared SET n = 21, version = 1 WHERE CURRENT OF c;
UPDATE prepared SET n = 22 WHERE CURRENT OF c;
SELECT id, n, updated_at = now() AS stamped, version FROM prepared ORDER BY id;
COMMIT;
-- prepared statements, across a change of the triggers and of the table
PREPARE up AS UPDATE prepared SET n = n + $1 WHERE id = 1 RETURNING n, version, updated_at = now() AS stamped;
EXECUTE up (0);
EXECUTE up (1);
SELECT count(*) FROM steward.updated_at_enable('prepared', ignore => '{n}');
EXECUTE up (1);
ALTER TABLE prepared ADD word text DEFAULT 'w';
SELECT count(*) FROM steward.row_version_disable('prepared');
EXECUTE up (1);
ALTER TABLE prepared DROP COLUMN by;
SELECT count(*) FROM steward.updated_at_enable('prepared');
SELECT count(*) FROM steward.row_version_enable('prepared');
EXECUTE up (1);
SELECT count(*) FROM steward.append_only_enable('prepared');
EXECUTE up (1);
-- both in one transaction: the table changes under the session's feet
SELECT count(*) FROM steward.append_only_disable('prepared');
BEGIN;
EXECUTE up (1);
ALTER TABLE prepared ADD more timestamptz, DROP word;
SELECT count(*) FROM steward.updated_at_enable('prepared', 'more');
EXECUTE up (1);
SELECT more = now() AS stamped FROM prepared WHERE id = 1;
ROLLBACK;
EXECUTE up (1);
DEALLOCATE up;
RESET app.current_user_id;
DROP TABLE prepared;
