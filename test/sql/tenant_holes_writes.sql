-- Writing into another tenant, and asking keys and references about him.
\set ECHO none
\set setup `echo "$PG_ABS_SRCDIR/data/tenant_holes.sql"`
\i :setup
\set VERBOSITY terse
\set ECHO all

-- Policies that check less on writing than on reading.
CREATE POLICY add ON naive.account FOR INSERT WITH CHECK (true);
CREATE POLICY move ON naive.account FOR UPDATE USING (tenant_id = current_setting('app.tenant_id', true)::integer) WITH CHECK (true);
CREATE POLICY add ON ours.account FOR INSERT WITH CHECK (true);
CREATE POLICY move ON ours.account FOR UPDATE USING (true) WITH CHECK (true);
CREATE POLICY take ON ours.account FOR DELETE USING (true);
CREATE POLICY look ON ours.account FOR SELECT USING (true);
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL app.tenant_id = '1';
INSERT INTO naive.account VALUES (10, 2);
UPDATE naive.account SET tenant_id = 2;
SELECT count(*) FROM naive.account;
ROLLBACK;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT * FROM attempt(
    'SELECT FROM ours.account WHERE tenant_id = 2',
    'INSERT INTO ours.account VALUES (10, 2)',
    'INSERT INTO ours.account SELECT 10, 3 - tenant_id FROM ours.account',
    'INSERT INTO ours.account VALUES (1, 1) ON CONFLICT (tenant_id, id) DO UPDATE SET tenant_id = 2',
    'INSERT INTO ours.account VALUES (2, 2) ON CONFLICT (tenant_id, id) DO UPDATE SET secret = ''seen''',
    'INSERT INTO ours.account VALUES (2, 2) ON CONFLICT DO NOTHING',
    'UPDATE ours.account SET tenant_id = 2',
    'UPDATE ours.account SET tenant_id = tenant_id + 1 WHERE id = 1',
    'UPDATE ours.account SET secret = ''changed'' WHERE id IN (2, 3)',
    'UPDATE ours.account SET secret = ''changed'' WHERE tenant_id = 2',
    'UPDATE ours.account a SET tenant_id = b.id FROM (VALUES (2)) b (id)',
    'UPDATE ours.account SET secret = ''changed''',
    'DELETE FROM ours.account WHERE id = 2',
    'DELETE FROM ours.account USING (VALUES (2), (3)) v (id) WHERE account.id = v.id',
    'DELETE FROM ours.account',
    'WITH gone AS (DELETE FROM ours.account RETURNING *) INSERT INTO ours.account SELECT id, 2, email, secret FROM gone',
    'SELECT FROM ours.account FOR UPDATE',
    'SELECT FROM ours.account WHERE id = 2 FOR KEY SHARE');
-- the tenant need not be said, and what is said must be he
INSERT INTO ours.account (id, secret) VALUES (11, 'mine') RETURNING tenant_id;
ROLLBACK;

-- MERGE, each of its arms. It once changed rows into what policies do not let be (CVE-2023-39418).
BEGIN; SET LOCAL steward.token = :'t1';
SELECT * FROM attempt(
    'MERGE INTO ours.account a USING (VALUES (1), (2), (3)) v (id) ON a.id = v.id WHEN MATCHED THEN UPDATE SET secret = ''changed''',
    'MERGE INTO ours.account a USING (VALUES (1)) v (id) ON a.id = v.id WHEN MATCHED THEN UPDATE SET tenant_id = 2',
    'MERGE INTO ours.account a USING (VALUES (1), (2), (3)) v (id) ON a.id = v.id WHEN MATCHED THEN DELETE',
    'MERGE INTO ours.account a USING (VALUES (2), (3)) v (id) ON a.id = v.id WHEN MATCHED THEN DELETE',
    'MERGE INTO ours.account a USING (VALUES (2)) v (id) ON a.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (2, 2)',
    'MERGE INTO ours.account a USING (VALUES (2)) v (id) ON a.id = v.id AND a.tenant_id = 2 WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (20, 1)',
    'MERGE INTO ours.account a USING ours.account b ON a.id = b.id WHEN MATCHED AND b.tenant_id = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET secret = b.secret');
SELECT result LIKE CASE WHEN current_setting('server_version_num')::integer >= 170000 THEN '1 row(s)' ELSE 'syntax error%' END AS only_ours
  FROM attempt('MERGE INTO ours.account a USING (VALUES (9)) v (id) ON a.id = v.id WHEN NOT MATCHED BY SOURCE THEN DELETE');
ROLLBACK;
RESET SESSION AUTHORIZATION;
DROP POLICY add ON ours.account; DROP POLICY move ON ours.account; DROP POLICY take ON ours.account; DROP POLICY look ON ours.account;

-- Rows of nobody, who becomes somebody as soon as a policy says IS NOT DISTINCT FROM.
INSERT INTO naive.account VALUES (12, NULL, NULL, 'of nobody');
CREATE POLICY shared ON naive.account FOR SELECT USING (tenant_id IS NOT DISTINCT FROM nullif(current_setting('app.reader_id', true), '')::integer);
CREATE POLICY shared ON ours.account FOR SELECT USING (tenant_id IS NOT DISTINCT FROM steward.current_tenant_int() OR tenant_id IS NULL);
INSERT INTO ours.account VALUES (12, NULL);
SET SESSION AUTHORIZATION regress_holes_app;
SET app.tenant_id = '1';
SELECT secret FROM naive.account WHERE tenant_id IS NULL;
SELECT count(*) FROM ours.account;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('INSERT INTO ours.account VALUES (12, NULL)', 'UPDATE ours.account SET tenant_id = NULL', 'UPDATE ours.account SET tenant_id = DEFAULT'); ROLLBACK;
RESET SESSION AUTHORIZATION;
DROP POLICY shared ON naive.account; DROP POLICY shared ON ours.account;

-- Foreign keys are checked, and followed, beneath the policies.
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL app.tenant_id = '1'; SELECT * FROM attempt('INSERT INTO naive.item VALUES (100, 1, 2)', 'INSERT INTO naive.item VALUES (100, 1, 999)');
INSERT INTO naive.item VALUES (100, 1, 2); SET LOCAL app.tenant_id = '2'; DELETE FROM naive.account WHERE id = 2; SET LOCAL app.tenant_id = '1'; SELECT count(*) FROM naive.item WHERE id = 100; ROLLBACK;
-- mended by the guard
SET SESSION AUTHORIZATION regress_holes_owner;
CREATE TABLE ours.folder (id integer PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE ours.file (id integer, tenant_id integer NOT NULL, folder_id integer CONSTRAINT file_folder REFERENCES ours.folder ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO ours.folder VALUES (1, 1), (2, 2), (3, 2);
INSERT INTO ours.file VALUES (1, 1, 1), (2, 2, 2);
SELECT count(*) > 0 AS protected FROM (SELECT steward.tenant_protect('ours.folder') UNION ALL SELECT steward.tenant_protect('ours.file')) p;
GRANT SELECT, INSERT, UPDATE, DELETE ON ours.folder, ours.file TO regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('INSERT INTO ours.file VALUES (100, 1, 2)', 'INSERT INTO ours.file VALUES (100, 1, 999)'); ROLLBACK;
SET SESSION AUTHORIZATION regress_holes_owner;
-- by the owner, who is kept in himself: unless he is let out meanwhile, rows that are there would not be checked
BEGIN; SET LOCAL steward.token = :'t1'; INSERT INTO ours.file VALUES (100, 1, 3); COMMIT;
SELECT steward.tenant_fk_guard('ours.file', 'file_folder');
BEGIN; SET LOCAL steward.token = :'t1'; DELETE FROM ours.file WHERE id = 100; COMMIT;
SELECT steward.tenant_fk_guard('ours.file', 'file_folder');
SELECT relname, relforcerowsecurity FROM pg_class WHERE oid IN ('ours.file'::regclass, 'ours.folder'::regclass) ORDER BY relname;
SET SESSION AUTHORIZATION regress_holes_app;
CREATE FUNCTION pg_temp.told(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE command;
    RETURN 'nothing';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, SQLERRM, regexp_replace(detail, '\d+', 'N', 'g'));
END $$;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT pg_temp.told('INSERT INTO ours.file VALUES (100, 1, 2)') = pg_temp.told('INSERT INTO ours.file VALUES (100, 1, 999)') AS same, left(pg_temp.told('INSERT INTO ours.file VALUES (100, 1, 2)'), 5) AS sqlstate;
SELECT pg_temp.told('UPDATE ours.file SET folder_id = 2') = pg_temp.told('UPDATE ours.file SET folder_id = 999') AS same, pg_temp.told('INSERT INTO ours.file VALUES (100, 2, 2)') AS with_his_tenant;
COMMIT;
BEGIN; SET LOCAL steward.token = :'t2'; DELETE FROM ours.folder; COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT id FROM ours.file; COMMIT;
RESET SESSION AUTHORIZATION;
SELECT object, rule FROM steward.tenant_check(schemas => '{naive,ours}') WHERE rule LIKE 'foreign_key%';

-- Unique keys tell who else has a value.
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL app.tenant_id = '1';
SELECT * FROM attempt($$INSERT INTO naive.account VALUES (20, 1, 'two@example.org')$$, $$INSERT INTO naive.account VALUES (20, 1, 'two@example.org') ON CONFLICT DO NOTHING$$,
    $$INSERT INTO naive.account VALUES (20, 1, 'two@example.org') ON CONFLICT (email) DO UPDATE SET secret = 'x'$$, $$UPDATE naive.account SET email = 'two@example.org'$$, $$INSERT INTO naive.account VALUES (2, 1)$$);
COMMIT;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT * FROM attempt($$INSERT INTO ours.account VALUES (20, 1, 'two@example.org')$$, $$INSERT INTO ours.account VALUES (20, 1, 'two@example.org') ON CONFLICT DO NOTHING$$,
    $$INSERT INTO ours.account VALUES (20, 1, 'two@example.org') ON CONFLICT (tenant_id, email) DO UPDATE SET secret = 'x'$$, $$UPDATE ours.account SET email = 'two@example.org'$$, $$INSERT INTO ours.account VALUES (2, 1)$$,
    $$INSERT INTO ours.account VALUES (2, 2, 'two@example.org')$$, $$INSERT INTO ours.account VALUES (999, 2, 'nobody@example.org')$$);
COMMIT;
-- a key of its own that the application may choose tells as much, even where it is an identity
SET SESSION AUTHORIZATION regress_holes_owner;
CREATE TABLE ours.ticket (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id integer NOT NULL, title text);
INSERT INTO ours.ticket (tenant_id, title) VALUES (1, 'one'), (2, 'two');
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.ticket');
GRANT SELECT, INSERT, UPDATE, DELETE ON ours.ticket TO regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('INSERT INTO ours.ticket OVERRIDING SYSTEM VALUE VALUES (2, 1)', 'INSERT INTO ours.ticket OVERRIDING SYSTEM VALUE VALUES (2, 1) ON CONFLICT DO NOTHING', 'INSERT INTO ours.ticket OVERRIDING SYSTEM VALUE VALUES (999, 1) ON CONFLICT DO NOTHING'); COMMIT;
-- unless it has no right to that column
SET SESSION AUTHORIZATION regress_holes_owner;
REVOKE INSERT, UPDATE ON ours.ticket FROM regress_holes_app;
GRANT INSERT (title), UPDATE (title) ON ours.ticket TO regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('INSERT INTO ours.ticket OVERRIDING SYSTEM VALUE VALUES (2, 1)', 'INSERT INTO ours.ticket (id) OVERRIDING SYSTEM VALUE VALUES (2) ON CONFLICT DO NOTHING', $$INSERT INTO ours.ticket (title) VALUES ('mine')$$, 'UPDATE ours.ticket SET tenant_id = 2'); ROLLBACK;

-- TRUNCATE, REFERENCES and TRIGGER know no policies.
SET SESSION AUTHORIZATION regress_holes_owner;
GRANT ALL ON naive.account, naive.item, ours.account TO regress_holes_app;
GRANT REFERENCES (id) ON ours.account TO PUBLIC;
RESET SESSION AUTHORIZATION;
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{ours}') WHERE rule LIKE '%\_grant';
SET SESSION AUTHORIZATION regress_holes_owner;
SELECT c FROM steward.tenant_protect('ours.account') c;
RESET SESSION AUTHORIZATION;
CREATE SCHEMA theirs AUTHORIZATION regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
CREATE FUNCTION theirs.peep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO 'saw %', NEW.secret; RETURN NULL; END $$;
BEGIN; CREATE TABLE theirs.guess (id integer REFERENCES naive.account); SELECT * FROM attempt('INSERT INTO theirs.guess VALUES (2)', 'INSERT INTO theirs.guess VALUES (999)'); ROLLBACK;
BEGIN; CREATE TRIGGER peep AFTER INSERT ON naive.account FOR EACH ROW EXECUTE FUNCTION theirs.peep(); SET LOCAL app.tenant_id = '2'; INSERT INTO naive.account VALUES (30, 2, NULL, 'two-secret30'); ROLLBACK;
BEGIN; TRUNCATE naive.account, naive.item; SET LOCAL app.tenant_id = '2'; SELECT count(*) FROM naive.account; ROLLBACK;
CREATE TABLE theirs.guess (tenant_id integer, id integer, FOREIGN KEY (tenant_id, id) REFERENCES ours.account (tenant_id, id));
CREATE TRIGGER peep AFTER INSERT ON ours.account FOR EACH ROW EXECUTE FUNCTION theirs.peep();
CREATE RULE peep AS ON INSERT TO ours.account DO ALSO SELECT 1;
TRUNCATE ours.account;
BEGIN; SET LOCAL steward.token = :'t1'; TRUNCATE ours.account CASCADE; ROLLBACK;

-- COPY and row_security.
BEGIN; SET LOCAL steward.token = :'t1';
COPY ours.account TO STDOUT;
COPY (SELECT secret FROM ours.account) TO STDOUT;
SAVEPOINT s;
SET LOCAL row_security = off;
COPY ours.account TO STDOUT;
ROLLBACK TO s;
SET LOCAL row_security = off;
UPDATE ours.account SET secret = 'x';
ROLLBACK;
RESET SESSION AUTHORIZATION;

\set ECHO none
SET client_min_messages = warning;
DROP SCHEMA theirs CASCADE;
\set ending `echo "$PG_ABS_SRCDIR/data/tenant_holes_end.sql"`
\i :ending
