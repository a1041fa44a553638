-- updated_at: the trigger; see updated_at_enable for what attaches it.
\set SHOW_CONTEXT never

CREATE TABLE users (
    id         bigint PRIMARY KEY,
    email      text NOT NULL,
    view_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text
);
SELECT steward.updated_at_enable('users', by => 'updated_by', ignore => '{view_count}', keep => '{created_at}');

INSERT INTO users (id, email) VALUES (1, 'ann@example.com');
SET app.current_user_id = '17';
UPDATE users SET email = 'ann@example.org', created_at = 'infinity' WHERE id = 1;
SELECT updated_at > created_at AS stamped, updated_by FROM users;

SELECT updated_at AS before FROM users \gset
UPDATE users SET email = email, view_count = view_count + 1 WHERE id = 1;  -- leaves the stamp alone
SELECT updated_at = :'before' AS left_alone, view_count FROM users;
RESET app.current_user_id;
-- as a migration has it
SELECT steward.updated_at_disable('users');
CREATE TRIGGER steward_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'by=updated_by', 'ignore=view_count', 'keep=created_at');
SELECT steward.updated_at_enable('users', by => 'updated_by', ignore => '{view_count}', keep => '{created_at}');
DROP TABLE users;

CREATE SCHEMA updated_at;
SET search_path = updated_at;

-- What the stamp of a row is: since when it is as it is.
CREATE FUNCTION updated_at.age(stamp timestamptz) RETURNS text
LANGUAGE sql STABLE RETURN
CASE WHEN stamp IS NULL THEN 'none'
     WHEN stamp = now() THEN 'this transaction'
     WHEN stamp = statement_timestamp() THEN 'this statement'
     WHEN stamp > statement_timestamp() THEN 'later'
     WHEN stamp = '2000-01-01 00:00:00+00' THEN 'old'
     ELSE 'before' END;

--
-- A stamp never goes back
--

-- behind a client's clock, and what it says of the row's making
CREATE TABLE clocks (id integer PRIMARY KEY, n integer, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
SELECT count(*) FROM steward.updated_at_enable('clocks', keep => '{created_at}');
INSERT INTO clocks VALUES (1, 0, '2000-01-01 00:00+00', now() + interval '1 hour'), (2, 0, now() + interval '2 hours', NULL), (3, 0, now() + interval '2 hours', now() + interval '1 hour'),
    (4, 0, 'infinity', 'infinity'), (5, 0, '-infinity', '-infinity'), (6, 0, NULL, NULL);
CREATE TEMP TABLE before AS SELECT * FROM clocks;
UPDATE clocks SET n = 1, updated_at = '2000-01-01 00:00+00';
SELECT c.id, c.updated_at = b.updated_at AS stays, c.updated_at = c.created_at AS as_made, c.updated_at < now() AS is_of_now
  FROM clocks c JOIN before b USING (id) ORDER BY id;
DROP TABLE clocks, before;
-- two commands of a transaction, whatever the clock; other types; a new row
CREATE TABLE clocks (id integer PRIMARY KEY, n integer, made timestamp(0), stamp timestamp(0), day date, other timestamptz);
CREATE TRIGGER a BEFORE INSERT OR UPDATE ON clocks FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('stamp', 'clock=wall', 'keep=made,day,other');
CREATE TRIGGER b BEFORE UPDATE ON clocks FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('day', 'ignore=n');
INSERT INTO clocks VALUES (1, 0, localtimestamp + interval '1 day', NULL, current_date + 3, 'infinity');
SELECT stamp = made AS not_before_made FROM clocks;
ALTER TABLE clocks DISABLE TRIGGER a;
UPDATE clocks SET other = 'epoch';
SELECT day = current_date + 3 AS stays FROM clocks;
ALTER TABLE clocks ENABLE TRIGGER a;
UPDATE clocks SET n = 1, stamp = 'epoch';
SELECT stamp = made AS stays FROM clocks;
DROP TABLE clocks;

--
-- Errors
--

CREATE TABLE t (id integer PRIMARY KEY, n integer, updated_at timestamptz DEFAULT '2000-01-01 00:00+00', by text, g integer GENERATED ALWAYS AS (id * 2) STORED, "Viewed At" date);
INSERT INTO t VALUES (1, 1);

SELECT steward.updated_at_trigger();
CREATE TRIGGER a AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
UPDATE t SET n = 2;
DELETE FROM t;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
TRUNCATE t;
DROP TRIGGER a ON t;
CREATE VIEW v AS SELECT * FROM t;
CREATE TRIGGER a INSTEAD OF UPDATE ON v FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
UPDATE v SET n = 2;
DROP VIEW v;

-- Attaches the trigger with some arguments, changes a row, and says what came of it.
CREATE PROCEDURE updated_at.try(VARIADIC arguments text[]) LANGUAGE plpgsql AS $$
DECLARE
    said text;
    hint text;
BEGIN
    EXECUTE format('CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger(%s)',
                   (SELECT string_agg(quote_literal(a), ', ') FROM unnest(arguments) a));
    BEGIN
        UPDATE t SET n = n + 1;
        RAISE INFO '%: %', arguments, (SELECT updated_at.age(updated_at) FROM t);
        UPDATE t SET n = 1, updated_at = '2000-01-01 00:00+00';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        RAISE INFO '%: % % (%)', arguments, SQLSTATE, said, hint;
    END;
    DROP TRIGGER a ON t;
END $$;
-- at default verbosity
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger();
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('changed_at');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('id');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'clock=sun');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'when=now');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'ignore=n,nothing');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'keep=n,');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
-- in short
CALL updated_at.try('updated_at', 'by');
CALL updated_at.try('');
CALL updated_at.try(' ');
CALL updated_at.try('ctid');
CALL updated_at.try('clock=wall');
CALL updated_at.try('updated_at', 'clock=');
CALL updated_at.try('updated_at', 'clock=Wall');
CALL updated_at.try('updated_at', 'clock');
CALL updated_at.try('updated_at', 'by=');
CALL updated_at.try('updated_at', 'by=by,n');
CALL updated_at.try('updated_at', 'BY=by');
CALL updated_at.try('updated_at', 'ignore=');
CALL updated_at.try('updated_at', 'ignore="n');
CALL updated_at.try('updated_at', 'ignore=t.n');
CALL updated_at.try('updated_at', 'keep=ctid');
CALL updated_at.try('updated_at.t.updated_at');
-- names are read as in SQL, or as they are
CALL updated_at.try('updated_at');
CALL updated_at.try('UPDATED_AT');
CALL updated_at.try('"updated_at"');
CALL updated_at.try('"Updated_At"');
CALL updated_at.try('updated_at', 'by="by"', 'ignore= "Viewed At" , BY');
CALL updated_at.try('clock=wall', 'updated_at');

-- users whom the column cannot hold
ALTER TABLE t ADD by_uuid uuid, ADD by_short varchar(4), ADD by_number bigint;
SET app.current_user_id = 'nobody';
CALL updated_at.try('updated_at', 'by=by_uuid');
CALL updated_at.try('updated_at', 'by=by_short');
CALL updated_at.try('updated_at', 'by=by_number');
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'by=by_uuid');
UPDATE t SET n = 2;
-- but not where nothing is written
UPDATE t SET n = n;
DROP TRIGGER a ON t;
RESET app.current_user_id;

--
-- What counts as a change
--

CREATE DOMAIN few AS integer CHECK (VALUE < 100);
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE kinds (
    id integer, i2 smallint, i8 bigint, f8 float8, num numeric, bool boolean, chr "char", bp char(5), nm name, txt text, vc varchar,
    ts timestamptz, d date, tz timetz, iv interval, u uuid, b bytea, js json, jb jsonb, arr integer[], tarr text[], comp pair, carr pair[],
    r int4range, m mood, dom few, net inet, pt point, tid tid, bits varbit, tsv tsvector, x xml, oid8 oidvector, gone text,
    updated_at timestamptz);
ALTER TABLE kinds DROP gone;
CREATE TRIGGER stamp BEFORE UPDATE ON kinds FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
INSERT INTO kinds VALUES (1, 2, 3, 4.5, 1.0, true, 'c', 'bp', 'name', 'text', 'vc', 'epoch', '2001-01-01', '12:00+00', '1 day', '00000000-0000-0000-0000-000000000000',
    '\x00', '{"a": 1}', '{"a": 1}', '{1,2}', '{a,NULL}', '(1,x)', '{"(1,x)"}', '[1,5)', 'glad', 5, '::1', '(0,0)', '(0,1)', '101', 'a:1', '<a/>', '1 2', '2000-01-01 00:00+00');
INSERT INTO kinds (id, updated_at) VALUES (2, '2000-01-01 00:00+00');

-- Sets each column to an expression of its name; returns those for which the stamp changed, by row.
CREATE FUNCTION updated_at.stamped(expression text, OUT row_1 text, OUT row_2 text) LANGUAGE plpgsql AS $$
DECLARE
    c name;
    of_row text[] := '{"",""}';
    r record;
BEGIN
    FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'updated_at.kinds'::regclass AND attnum > 1 AND NOT attisdropped ORDER BY attnum LOOP
        CONTINUE WHEN c = 'updated_at';
        BEGIN
            EXECUTE format('UPDATE updated_at.kinds SET %I = ' || replace(expression, '%', '%1$I'), c);
            FOR r IN SELECT id FROM updated_at.kinds WHERE updated_at = now() LOOP
                of_row[r.id] := concat_ws(' ', nullif(of_row[r.id], ''), c);
            END LOOP;
            RAISE EXCEPTION 'undo' USING ERRCODE = 'STEWD';
        EXCEPTION WHEN SQLSTATE 'STEWD' THEN NULL;
        END;
    END LOOP;
    SELECT coalesce(nullif(of_row[1], ''), 'none'), coalesce(nullif(of_row[2], ''), 'none') INTO row_1, row_2;
END $$;
-- to itself, taken apart and put together again, which no type notices; null to null
SELECT * FROM updated_at.stamped('%');
DO $$
DECLARE
    c record;
    changed text := '';
BEGIN
    FOR c IN SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
              WHERE attrelid = 'updated_at.kinds'::regclass AND attnum > 1 AND NOT attisdropped AND attname <> 'updated_at' ORDER BY attnum LOOP
        EXECUTE format('UPDATE updated_at.kinds SET %1$I = (%1$I::text)::%2$s', c.attname, c.type);
        IF EXISTS (SELECT FROM updated_at.kinds WHERE updated_at = now()) THEN
            changed := changed || c.attname || ' ';
            UPDATE updated_at.kinds SET updated_at = NULL;
        END IF;
    END LOOP;
    RAISE INFO 'read again, these differ: %', changed;
END $$;
-- value to null; null to null
SELECT * FROM updated_at.stamped('NULL');
-- null to value
BEGIN;
UPDATE kinds k SET i2 = o.i2 FROM kinds o WHERE k.id = 2 AND o.id = 1;
SELECT id, updated_at.age(updated_at) FROM kinds ORDER BY id;
ROLLBACK;
-- a row value of a composite type made in other ways
CREATE TABLE made (id integer, c pair, carr pair[], n numeric, updated_at timestamptz DEFAULT '2000-01-01 00:00+00');
INSERT INTO made VALUES (1, '(1,x)', '{"(1,x)"}', 1.0);
CREATE TRIGGER stamp BEFORE UPDATE ON made FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
UPDATE made SET c = ROW(1, 'x')::pair;
UPDATE made SET c.b = 'x';
UPDATE made SET c = (SELECT p FROM (SELECT 1 AS a, 'x'::text AS b) AS q, LATERAL (SELECT q.a, q.b) AS r, LATERAL (SELECT ROW(r.a, r.b)::pair AS p) s);
UPDATE made SET carr[1] = ROW(1, 'x')::pair;
DO $$
DECLARE
    p updated_at.pair := ROW(1, 'x');
BEGIN
    UPDATE updated_at.made SET c = p, carr = ARRAY[p];
END $$;
SELECT updated_at.age(updated_at) AS same FROM made;
UPDATE made SET n = 1.00;
SELECT updated_at.age(updated_at) <> 'old' AS another_scale FROM made;

-- values that are stored out of line, compressed or not, equal or not
CREATE TABLE toast (id integer PRIMARY KEY, n integer, plain text, packed text, updated_at timestamptz DEFAULT '2000-01-01 00:00+00');
ALTER TABLE toast ALTER plain SET STORAGE EXTERNAL;
INSERT INTO toast SELECT id, 0, repeat('p', 9000), string_agg(md5(x::text), '') FROM generate_series(1, 10) id, generate_series(1, 400) x GROUP BY id;
CREATE TRIGGER stamp BEFORE UPDATE ON toast FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
BEGIN;
UPDATE toast SET plain = plain WHERE id = 1;
UPDATE toast SET plain = repeat('p', 9000) WHERE id = 2;
UPDATE toast SET plain = repeat('p', 8999) || 'q' WHERE id = 3;
UPDATE toast SET packed = (SELECT packed FROM toast WHERE id = 5) WHERE id = 4;
UPDATE toast SET packed = reverse(packed) WHERE id = 5;
UPDATE toast SET packed = packed || '' WHERE id = 6;
UPDATE toast SET n = 1 WHERE id = 7;
UPDATE toast SET plain = NULL WHERE id = 8;
UPDATE toast SET plain = 'short', packed = 'short' WHERE id = 9;
SELECT id, n, length(plain) AS plain, length(packed) AS packed, updated_at.age(updated_at) FROM toast ORDER BY id;
ROLLBACK;
-- a kept value that is out of line
CREATE TRIGGER keep BEFORE UPDATE ON toast FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'keep=plain,packed');
UPDATE toast SET plain = 'gone', packed = NULL, n = 2;
VACUUM FULL toast;
SELECT count(*), count(DISTINCT md5(plain || packed)), min(length(plain)), min(length(packed)) FROM toast;

-- columns that a row does not have yet: rows that are shorter than the table
CREATE TABLE later (id integer, n integer);
INSERT INTO later SELECT id, 0 FROM generate_series(1, 9) id;
ALTER TABLE later ADD updated_at timestamptz DEFAULT '2000-01-01 00:00+00', ADD word text DEFAULT 'word', ADD nothing text,
    ADD created_at timestamptz DEFAULT '1999-01-01 00:00+00', ADD by text DEFAULT 'nobody';
CREATE TRIGGER stamp BEFORE UPDATE ON later FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'keep=created_at', 'by=by');
BEGIN;
UPDATE later SET n = n, word = 'word', nothing = NULL, updated_at = updated_at WHERE id = 1;
UPDATE later SET n = 1 WHERE id = 2;
UPDATE later SET word = 'other' WHERE id = 3;
UPDATE later SET nothing = 'something' WHERE id = 4;
UPDATE later SET created_at = now() WHERE id = 5;
UPDATE later SET by = 'me' WHERE id = 6;
UPDATE later SET created_at = NULL, n = 7 WHERE id = 7;
UPDATE later SET word = NULL WHERE id = 8;
SELECT id, n, updated_at.age(updated_at), word, nothing, created_at = '1999-01-01 00:00+00' AS kept, by <> 'nobody' AS by_me FROM later ORDER BY id;
COMMIT;
-- and one whose columns go
ALTER TABLE later DROP n, DROP nothing;
ALTER TABLE later ADD z integer DEFAULT 3;
BEGIN;
UPDATE later SET z = 3;
SELECT DISTINCT updated_at = now() AS stamped FROM later;
UPDATE later SET z = 4 WHERE id = 9;
SELECT id, z, word FROM later WHERE updated_at = now();
COMMIT;

-- many columns: every third is null, in another place of each row
DO $$
BEGIN
    EXECUTE 'CREATE TABLE wide (id integer' || (SELECT string_agg(format(', c%s %s', n, (ARRAY['integer', 'text', 'boolean', 'numeric'])[n % 4 + 1]), '' ORDER BY n) FROM generate_series(1, 120) n)
         || ', updated_at timestamptz, version bigint DEFAULT 1)';
    EXECUTE 'INSERT INTO wide SELECT r' || (SELECT string_agg(format(', CASE WHEN (r + %1$s) %% 3 > 0 THEN %2$s END', n, (ARRAY['1', '''t''', 'true', '1.5'])[n % 4 + 1]), '' ORDER BY n) FROM generate_series(1, 120) n)
         || ', NULL FROM generate_series(1, 3) r';
END $$;
CREATE TRIGGER stamp BEFORE UPDATE ON wide FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
DO $$
DECLARE
    changes integer := 0;
    stamps integer := 0;
    r record;
BEGIN
    FOR r IN SELECT 'c' || n AS c, (ARRAY['2', '''u''', 'false', '2.5'])[n % 4 + 1] AS v FROM generate_series(1, 120) n LOOP
        EXECUTE format('UPDATE wide SET %1$I = %1$I', r.c);
        IF EXISTS (SELECT FROM wide WHERE updated_at IS NOT NULL) THEN
            RAISE 'column % to itself', r.c;
        END IF;
        BEGIN
            EXECUTE format('UPDATE wide SET %I = %s', r.c, r.v);
            stamps := stamps + (SELECT count(*) FROM wide WHERE updated_at = now());
            EXECUTE format('UPDATE wide SET updated_at = NULL, %I = NULL', r.c);
            RAISE EXCEPTION 'undo' USING ERRCODE = 'STEWD';
        EXCEPTION WHEN SQLSTATE 'STEWD' THEN changes := changes + 3;
        END;
    END LOOP;
    RAISE INFO '% changes, % stamps', changes, stamps;
END $$;
UPDATE wide SET c120 = NULL;
SELECT count(*) AS untouched, count(DISTINCT md5((to_jsonb(w) - 'updated_at')::text)) FROM wide w WHERE version = 1;

--
-- The stamp
--

CREATE DOMAIN moment AS timestamptz(0) CHECK (VALUE > '2010-01-01 00:00+00');
CREATE DOMAIN instant AS moment NOT NULL;
CREATE DOMAIN past AS timestamptz CHECK (VALUE < '2010-01-01 00:00+00');
CREATE TABLE stamps (id integer, n integer, tz timestamptz, tz0 timestamptz(0), ts timestamp, ts2 timestamp(2), d date, dom moment, dom2 instant DEFAULT now(), wrong past,
    statement timestamptz, wall timestamptz);
DO $$
BEGIN
    PERFORM steward.updated_at_enable('updated_at.stamps', c) FROM unnest('{tz,tz0,ts,ts2,d,dom,dom2}'::name[]) c;
    PERFORM steward.updated_at_enable('updated_at.stamps', 'statement', clock => 'statement'), steward.updated_at_enable('updated_at.stamps', 'wall', clock => 'wall');
END $$;
INSERT INTO stamps (id, n) VALUES (1, 1), (2, 1);
BEGIN;
SELECT now() AS began \gset
UPDATE stamps SET n = 2;
SELECT tz = now() AS tz, tz0 = now()::timestamptz(0) AS tz0, ts = localtimestamp AS ts, ts2 = localtimestamp(2) AS ts2, d = current_date AS d, dom = tz0 AS dom, dom2 = tz0 AS dom2,
       statement > tz AS statement, wall > statement AS wall, wall >= lag(wall) OVER (ORDER BY id) AS wall_grows FROM stamps ORDER BY id;
COMMIT;
-- without time zone: the session's, as CURRENT_TIMESTAMP
SET TimeZone = 'Pacific/Kiritimati';
BEGIN;
UPDATE stamps SET n = 3;
SELECT bool_and(ts = localtimestamp AND d = current_date AND tz = now()) FROM stamps;
COMMIT;
RESET TimeZone;
-- several stamps: each sees what changed but for the others
UPDATE stamps SET tz = '2000-01-01', tz0 = NULL, ts = NULL, ts2 = NULL, d = NULL, wall = NULL;
SELECT count(*) AS ours_to_set FROM stamps WHERE tz = '2000-01-01' OR num_nulls(tz0, ts, ts2, d, wall) > 0;
SELECT tz AS tz_before, wall AS wall_before FROM stamps WHERE id = 1 \gset
UPDATE stamps SET tz = NULL WHERE id = 1;
SELECT tz > :'tz_before' AS set_itself, wall = :'wall_before' AS other_left FROM stamps WHERE id = 1;
UPDATE stamps SET n = n;
SELECT wall = :'wall_before' AS other_left FROM stamps WHERE id = 1;
-- a domain that does not take the time
SELECT steward.updated_at_enable('stamps', 'wrong');
UPDATE stamps SET n = 5;
SELECT steward.updated_at_disable('stamps', 'wrong');
UPDATE stamps SET n = 5;

--
-- by, ignore, keep
--

CREATE ROLE regress_updated_at;
GRANT USAGE ON SCHEMA updated_at TO regress_updated_at;
CREATE DOMAIN who AS text CHECK (VALUE <> 'mallory');
CREATE TABLE named (id integer PRIMARY KEY, n integer, updated_at timestamptz, t text, v varchar(20), c char(20), nm name, d who, u uuid, num bigint, arr text[]);
INSERT INTO named VALUES (1, 0);
GRANT ALL ON named TO regress_updated_at;
DO $$
BEGIN
    EXECUTE (SELECT string_agg(format('ALTER TABLE updated_at.named ADD %1$I timestamptz; CREATE TRIGGER %2$I BEFORE UPDATE ON updated_at.named FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger(%1$L, %3$L)', 'at_' || a, 'stamp_' || a, 'by=' || a), ';')
               FROM unnest('{t,v,c,nm,d,u,num}'::text[]) a);
END $$;
CREATE VIEW names AS SELECT n, t, v, c = t AS c, nm, d, u, num FROM named;
SET ROLE regress_updated_at;
UPDATE updated_at.named SET n = 1;
RESET ROLE;
SELECT * FROM names;
SET app.current_user_id = '42';
ALTER TABLE named DISABLE TRIGGER stamp_u;
UPDATE named SET n = 2, t = 'somebody else';
SELECT * FROM names;
SET app.current_user_id = '00000000-0000-0000-0000-00000000002A';
ALTER TABLE named ENABLE TRIGGER stamp_u;
DO $$ BEGIN EXECUTE (SELECT string_agg(format('ALTER TABLE updated_at.named DISABLE TRIGGER stamp_%s', a), ';') FROM unnest('{v,c,num}'::text[]) a); END $$;
UPDATE named SET n = 3;
SELECT n, t, nm, u FROM names;
SET app.current_user_id = 'mallory';
ALTER TABLE named DISABLE TRIGGER stamp_u;
UPDATE named SET n = 4;
-- a name that is too long for name is cut between characters
ALTER TABLE named DISABLE TRIGGER stamp_d;
SELECT set_config('app.current_user_id', repeat('é', 40), false) IS NOT NULL AS set;
UPDATE named SET n = 5;
SELECT octet_length(nm::text), length(nm::text) FROM named;
-- the row alone does not change who it was; neither does setting the name
SET app.current_user_id = 'other';
UPDATE named SET n = n, t = 'other', nm = 'other';
SELECT t = 'other' AS t, nm = 'other' AS nm FROM names;
-- unless nobody fills it in: a column whose trigger is disabled is one like any other
UPDATE named SET num = 7;
SELECT t = 'other' AS t, nm = 'other' AS nm, num FROM names;
RESET app.current_user_id;
-- SECURITY DEFINER hides nobody; another setting
CREATE FUNCTION touch() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'UPDATE updated_at.named SET n = n + 1';
SET ROLE regress_updated_at;
SELECT updated_at.touch();
RESET ROLE;
SELECT n, t, nm FROM names;
SET steward.audit_user_setting = 'app.who';
SET app.who = 'ann';
UPDATE named SET n = 7;
SELECT n, t, nm FROM names;
RESET steward.audit_user_setting;
RESET app.who;
-- settings that end with the transaction, and with a savepoint
BEGIN;
SELECT set_config('app.current_user_id', 'first', true);
UPDATE named SET n = 8;
SELECT t FROM names;
SAVEPOINT s;
SELECT set_config('app.current_user_id', 'second', true);
UPDATE named SET n = 9;
SELECT t FROM names;
ROLLBACK TO s;
UPDATE named SET n = 10;
SELECT t FROM names;
COMMIT;
UPDATE named SET n = 11;
SELECT t = current_user AS role_again FROM names;

-- a foreign key from the column: the user must be there
CREATE TABLE known (id text PRIMARY KEY);
CREATE TABLE referring (id integer, n integer, updated_at timestamptz, by text NOT NULL DEFAULT 'ann' REFERENCES known);
INSERT INTO known VALUES ('ann');
INSERT INTO referring VALUES (1, 1);
CREATE TRIGGER stamp BEFORE UPDATE ON referring FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'by=by');
SET app.current_user_id = 'eve';
UPDATE referring SET n = 2;
SET app.current_user_id = 'ann';
UPDATE referring SET n = 2;
RESET app.current_user_id;
-- keep: what it is set to does not matter, and it counts neither
CREATE TABLE kept (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer, tenant text NOT NULL, born date, updated_at timestamptz, word text);
INSERT INTO kept (n, tenant, born, word) VALUES (1, 'a', '2020-01-01', 'w'), (2, 'b', NULL, 'w');
CREATE TRIGGER stamp BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'keep=id,tenant,born');
UPDATE kept SET tenant = 'c', born = '1999-01-01';
UPDATE kept SET tenant = NULL, born = NULL;
SELECT id, n, tenant, born, updated_at IS NULL AS unstamped FROM kept ORDER BY id;
UPDATE kept SET tenant = 'c', born = '1999-01-01', n = n + 10, id = DEFAULT;
SELECT id, n, tenant, born, updated_at IS NULL AS unstamped FROM kept ORDER BY id;
-- one list, as often as it is written
DROP TRIGGER stamp ON kept;
CREATE TRIGGER stamp BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'keep=tenant', 'keep=born');
UPDATE kept SET tenant = 'd', born = '1998-01-01';
SELECT id, tenant, born FROM kept ORDER BY id;

--
-- What UPDATEs there are
--

CREATE TABLE every (id integer PRIMARY KEY, n integer DEFAULT 0, twice integer GENERATED ALWAYS AS (n * 2) STORED, day date GENERATED ALWAYS AS ((updated_at AT TIME ZONE 'UTC')::date) STORED,
    made timestamptz DEFAULT '2000-01-01 00:00+00', updated_at timestamptz DEFAULT '2000-01-01 00:00+00');
CREATE TRIGGER stamp BEFORE UPDATE ON every FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
CREATE VIEW ages AS SELECT id, n, twice, day = (updated_at AT TIME ZONE 'UTC')::date AS day, updated_at.age(updated_at) FROM every ORDER BY id;
INSERT INTO every (id) VALUES (1), (2), (3), (4), (5), (6);
BEGIN;
INSERT INTO every (id, n) VALUES (1, 5), (7, 5) ON CONFLICT (id) DO UPDATE SET n = excluded.n;
INSERT INTO every (id, n) VALUES (2, 0) ON CONFLICT (id) DO UPDATE SET n = excluded.n;
MERGE INTO every e USING (VALUES (3, 5), (4, 0), (8, 5)) s (id, n) ON e.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n);
UPDATE every e SET n = e.n + 1 FROM (VALUES (5), (5), (5)) s (id) WHERE e.id = s.id;
UPDATE every SET n = DEFAULT, updated_at = DEFAULT WHERE id = 6;
SELECT * FROM ages;
ROLLBACK;
BEGIN;
WITH one AS (UPDATE every SET n = 1 WHERE id = 1 RETURNING *), two AS (UPDATE every SET n = 2 WHERE id = 2 RETURNING id, updated_at = now() AS returned)
SELECT o.id, o.updated_at = now() AS returned FROM one o UNION ALL SELECT * FROM two;
SAVEPOINT s;
UPDATE every SET n = 3 WHERE id = 3;
ROLLBACK TO s;
UPDATE every SET n = 4 WHERE id = 4;
UPDATE every SET n = 0 WHERE id = 4;
SELECT * FROM ages;
COMMIT;
-- COPY and INSERT keep what they are given
COPY every (id, updated_at) FROM STDIN;
10	2000-01-01 00:00:00+00
\.
SELECT * FROM ages WHERE id = 10;
-- on INSERT too
DROP TRIGGER stamp ON every;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON every FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
BEGIN;
INSERT INTO every (id, updated_at) VALUES (11, '2000-01-01'), (12, NULL);
COPY every (id) FROM STDIN;
13
\.
INSERT INTO every (id, n) VALUES (10, 9), (14, 9) ON CONFLICT (id) DO UPDATE SET n = excluded.n, updated_at = excluded.updated_at;
INSERT INTO every (id) VALUES (5) ON CONFLICT (id) DO UPDATE SET n = excluded.n;
SELECT * FROM ages WHERE id IN (5, 10, 11, 12, 13, 14);
COMMIT;

-- rows that come as they are from another table stay there as they were; each conflict has its own
CREATE TABLE source (LIKE every INCLUDING ALL EXCLUDING CONSTRAINTS EXCLUDING INDEXES);
INSERT INTO source (id, n) SELECT n, n FROM generate_series(21, 25) n;
CREATE TABLE target (LIKE every INCLUDING DEFAULTS INCLUDING INDEXES, version integer DEFAULT 1);
ALTER TABLE source ADD version integer DEFAULT 1;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON target FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
CREATE TRIGGER version BEFORE UPDATE ON target FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
BEGIN;
INSERT INTO target SELECT * FROM source;
INSERT INTO target TABLE source ON CONFLICT (id) DO UPDATE SET n = target.n + excluded.n RETURNING id, n, updated_at = now() AS stamped, version;
INSERT INTO target SELECT * FROM source ON CONFLICT (id) DO UPDATE SET made = excluded.updated_at, n = excluded.n RETURNING made = now() AS excluded_is_stamped, version;
SELECT id, n, updated_at.age(updated_at), version FROM source ORDER BY id;
COMMIT;
-- transition tables and later triggers see what is stored; a trigger that keeps NEW keeps its own
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'STATEMENT' THEN
        RAISE INFO '%: % of % stamped, versions %', TG_NAME, (SELECT count(*) FROM new_rows WHERE updated_at = now()), (SELECT count(*) FROM new_rows), (SELECT array_agg(version ORDER BY version) FROM new_rows);
    ELSE
        RAISE INFO '%: old % %, new % %', TG_NAME, updated_at.age(OLD.updated_at), OLD.version, updated_at.age(NEW.updated_at), NEW.version;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_tell BEFORE UPDATE ON target FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER t_tell BEFORE UPDATE ON target FOR EACH ROW WHEN (NEW.updated_at > OLD.updated_at) EXECUTE FUNCTION tell();
CREATE TRIGGER z_tell BEFORE UPDATE ON target FOR EACH ROW WHEN (NEW.version > OLD.version) EXECUTE FUNCTION tell();
CREATE TRIGGER after_tell AFTER UPDATE ON target FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER statement_tell AFTER UPDATE ON target REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tell();
UPDATE target SET n = 1 WHERE id IN (21, 22);
UPDATE target SET n = n WHERE id = 23;
-- an index and a constraint of the columns that the triggers write
CREATE INDEX target_stamps ON target (updated_at, version);
ALTER TABLE target DISABLE TRIGGER USER;
ALTER TABLE target ENABLE TRIGGER stamp;
ALTER TABLE target ENABLE TRIGGER version;
ALTER TABLE target ADD CHECK (version < 7), ADD later integer GENERATED ALWAYS AS (version * 10) STORED;
BEGIN;
UPDATE target SET n = 2;
SET LOCAL enable_seqscan = off;
SELECT id, version, later FROM target WHERE updated_at = now() ORDER BY id;
COMMIT;
UPDATE target SET n = 3;
\set VERBOSITY terse
UPDATE target SET n = 4;
UPDATE target SET n = 5;
\set VERBOSITY default

-- virtual columns, which no trigger sees; older servers have stored ones
DO $$
BEGIN
    EXECUTE format('CREATE TABLE virtual (first text GENERATED ALWAYS AS (n::text || ''!'') %1$s, id integer, n integer, middle timestamptz GENERATED ALWAYS AS (updated_at) %1$s,
                    updated_at timestamptz DEFAULT ''2000-01-01 00:00+00'', version bigint DEFAULT 1, by text, last integer GENERATED ALWAYS AS (n * 2) %1$s)',
                   CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN 'VIRTUAL' ELSE 'STORED' END);
END $$;
CREATE TRIGGER stamp BEFORE UPDATE ON virtual FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'by=by', 'keep=id');
CREATE TRIGGER version BEFORE UPDATE ON virtual FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
INSERT INTO virtual (id, n) VALUES (1, 1), (2, 2);
BEGIN;
UPDATE virtual SET n = n, id = 5;
UPDATE virtual SET n = 3 WHERE id = 2;
ALTER TABLE virtual ADD late integer DEFAULT 4;
UPDATE virtual SET late = 4, id = NULL;
SELECT first, id, n, middle = updated_at AS middle, updated_at.age(updated_at), version, by IS NOT NULL AS named, last, late FROM virtual ORDER BY id;
COMMIT;
CREATE TRIGGER generated BEFORE UPDATE ON virtual FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('middle');
UPDATE virtual SET n = 4;
DROP TRIGGER generated ON virtual;
CREATE TRIGGER generated BEFORE UPDATE ON virtual FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'by=first');
UPDATE virtual SET n = 4;
DROP TRIGGER generated ON virtual;
CREATE TRIGGER generated BEFORE UPDATE ON virtual FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'ignore=last', 'keep=first');
UPDATE virtual SET n = 4;
SELECT first, n, last FROM virtual ORDER BY id;
DROP TRIGGER generated ON virtual;

-- columns of the trigger itself
CREATE TABLE conditional (id integer, a integer, b integer, updated_at timestamptz DEFAULT '2000-01-01 00:00+00');
INSERT INTO conditional VALUES (1, 1, 1);
CREATE TRIGGER stamp BEFORE UPDATE OF a ON conditional FOR EACH ROW WHEN (NEW.a > 5) EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
UPDATE conditional SET b = 2;
UPDATE conditional SET a = 2;
SELECT updated_at.age(updated_at) FROM conditional;
BEGIN;
UPDATE conditional SET a = 6;
SELECT updated_at.age(updated_at) FROM conditional;
COMMIT;

-- foreign key actions
CREATE TABLE one (id integer PRIMARY KEY);
CREATE TABLE many (id integer PRIMARY KEY, one integer REFERENCES one ON UPDATE CASCADE ON DELETE SET NULL, updated_at timestamptz DEFAULT '2000-01-01 00:00+00');
CREATE TRIGGER stamp BEFORE UPDATE ON many FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
INSERT INTO one VALUES (1), (2), (3);
INSERT INTO many VALUES (1, 1), (2, 2), (3, 3);
BEGIN;
UPDATE one SET id = 10 WHERE id = 1;
DELETE FROM one WHERE id = 2;
SELECT id, one, updated_at.age(updated_at) FROM many ORDER BY id;
COMMIT;

-- triggers of the user's own: by name
CREATE TABLE others (id integer, n integer, m integer DEFAULT 0, updated_at timestamptz DEFAULT '2000-01-01 00:00+00');
INSERT INTO others VALUES (1, 1);
CREATE TRIGGER m BEFORE UPDATE ON others FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
CREATE FUNCTION set_m() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.m := NEW.m + 1; RETURN NEW; END';
CREATE TRIGGER z BEFORE UPDATE ON others FOR EACH ROW EXECUTE FUNCTION set_m();
BEGIN;
UPDATE others SET n = n;
SELECT m, updated_at.age(updated_at) AS too_late FROM others;
COMMIT;
ALTER TRIGGER z ON others RENAME TO a;
BEGIN;
UPDATE others SET n = n;
SELECT m, updated_at.age(updated_at) AS seen FROM others;
COMMIT;
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER b BEFORE UPDATE ON others FOR EACH ROW EXECUTE FUNCTION skip();
UPDATE others SET n = 2;
SELECT n, m FROM others;
-- one that is disabled does nothing, and replica is silent
DROP TRIGGER a ON others;
DROP TRIGGER b ON others;
ALTER TABLE others DISABLE TRIGGER m;
UPDATE others SET n = 3, updated_at = '2000-01-01 00:00+00';
ALTER TABLE others ENABLE TRIGGER m;
SET session_replication_role = replica;
UPDATE others SET n = 4;
SELECT n, updated_at.age(updated_at) FROM others;
ALTER TABLE others ENABLE ALWAYS TRIGGER m;
BEGIN;
UPDATE others SET n = 5;
SELECT n, updated_at.age(updated_at) FROM others;
COMMIT;
RESET session_replication_role;

-- partitions, with other column numbers, and moves between them
CREATE TABLE part (id integer, region text, n integer, updated_at timestamptz DEFAULT '2000-01-01 00:00+00', created_at timestamptz DEFAULT '1999-01-01 00:00+00', by text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu');
CREATE TABLE part_us (gone text, by text, created_at timestamptz DEFAULT '1999-01-01 00:00+00', updated_at timestamptz DEFAULT '2000-01-01 00:00+00', n integer, region text NOT NULL, id integer NOT NULL);
ALTER TABLE part_us DROP gone;
ALTER TABLE part ATTACH PARTITION part_us FOR VALUES IN ('us');
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON part FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'by=by', 'keep=created_at,id');
ALTER TABLE part DISABLE TRIGGER stamp;
INSERT INTO part VALUES (1, 'eu', 0), (2, 'us', 0), (3, 'eu', 0), (4, 'us', 0);
ALTER TABLE part ENABLE TRIGGER stamp;
CREATE TABLE part_asia PARTITION OF part FOR VALUES IN ('asia');
SET app.current_user_id = '17';
BEGIN;
UPDATE part SET n = 1 WHERE id = 2;
UPDATE part SET n = n, region = region, created_at = now(), id = 9 WHERE id = 3;
UPDATE part SET region = CASE region WHEN 'eu' THEN 'us' ELSE 'asia' END, created_at = now() WHERE id IN (1, 4);
SELECT tableoid::regclass, id, region, n, updated_at.age(updated_at), created_at = '1999-01-01 00:00+00' AS kept, by FROM part ORDER BY id;
COMMIT;
-- the key is kept: nothing moves
DROP TRIGGER stamp ON part;
CREATE TRIGGER stamp BEFORE UPDATE ON part FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'keep=region');
UPDATE part SET region = 'eu';
SELECT tableoid::regclass, count(*) FROM part GROUP BY 1 ORDER BY 1;
-- partitioned by the stamp
CREATE TABLE by_time (id integer, n integer, updated_at timestamptz NOT NULL) PARTITION BY RANGE (updated_at);
CREATE TABLE by_time_old PARTITION OF by_time FOR VALUES FROM (MINVALUE) TO ('2010-01-01');
CREATE TABLE by_time_new PARTITION OF by_time FOR VALUES FROM ('2010-01-01') TO (MAXVALUE);
CREATE TRIGGER stamp BEFORE UPDATE ON by_time FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
INSERT INTO by_time VALUES (1, 1, '2000-01-01'), (2, 1, '2000-01-01');
UPDATE by_time SET n = 2 WHERE id = 1;
SELECT tableoid::regclass, id, n FROM by_time ORDER BY id;
-- with a stamp on INSERT no row may be routed by another
DROP TRIGGER stamp ON by_time;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON by_time FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
INSERT INTO by_time VALUES (3, 1, '2020-01-01');
\set VERBOSITY sqlstate
INSERT INTO by_time VALUES (4, 1, '2000-01-01');
-- minor versions differ in whether they look at the partition's bounds before or after the trigger
DO $$ BEGIN INSERT INTO by_time_old VALUES (4, 1, '2000-01-01'); EXCEPTION WHEN feature_not_supported OR check_violation THEN RAISE INFO 'refused'; END $$;
COPY by_time FROM STDIN;
4	1	2000-01-01
\.
\set VERBOSITY default
UPDATE by_time SET n = 3;
SELECT tableoid::regclass, id, n FROM by_time ORDER BY id;
RESET app.current_user_id;

-- row level security: the policy sees the stamp; the role needs no right to the columns
CREATE TABLE secured (id integer, n integer, owner name DEFAULT current_user, updated_at timestamptz DEFAULT '2000-01-01 00:00+00', updated_by text);
INSERT INTO secured VALUES (1, 1, 'regress_updated_at'), (2, 1, 'postgres');
CREATE TRIGGER stamp BEFORE UPDATE ON secured FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'by=updated_by');
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secured USING (owner = current_user) WITH CHECK (updated_by = current_user AND updated_at = now());
GRANT SELECT, UPDATE (n) ON secured TO regress_updated_at;
SET ROLE regress_updated_at;
UPDATE updated_at.secured SET n = 2;
UPDATE updated_at.secured SET updated_at = now();
-- and nothing that a search path can shadow
CREATE TEMP TABLE pg_trigger (a integer);
CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'epoch'::timestamptz$$;
SET search_path = pg_temp, updated_at, pg_catalog;
UPDATE secured SET n = 3;
RESET search_path;
RESET ROLE;
SET search_path = updated_at;
SELECT id, n, updated_by, updated_at > '2010-01-01' AS stamped FROM secured ORDER BY id;

-- temporary tables, inheritance children with more columns, views, exceptions
CREATE TEMP TABLE tmp (id integer, updated_at timestamptz);
CREATE TRIGGER stamp BEFORE UPDATE ON tmp FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
INSERT INTO tmp VALUES (1);
UPDATE tmp SET id = 2;
SELECT updated_at IS NOT NULL AS stamped FROM tmp;
CREATE TABLE parent (id integer, updated_at timestamptz);
CREATE TABLE child (extra text, PRIMARY KEY (id)) INHERITS (parent);
CREATE TRIGGER stamp BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
INSERT INTO child VALUES (1, NULL, 'x');
INSERT INTO parent VALUES (2, NULL);
UPDATE parent SET id = id + 10;
SELECT tableoid::regclass, id, updated_at IS NOT NULL AS stamped FROM parent ORDER BY id;
CREATE VIEW through AS SELECT id, extra FROM child WITH CHECK OPTION;
UPDATE child SET updated_at = DEFAULT;
BEGIN;
UPDATE through SET extra = 'y';
SELECT extra, updated_at = now() AS stamped FROM child;
COMMIT;
DO $$
BEGIN
    UPDATE updated_at.child SET id = 20;
    BEGIN
        UPDATE updated_at.child SET id = 30;
        PERFORM 1 / 0;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
    RAISE INFO 'id %, stamped %', (SELECT id FROM updated_at.child), (SELECT updated_at = now() FROM updated_at.child);
END $$;
-- a column that was renamed, and dropped
ALTER TABLE parent RENAME updated_at TO changed_at;
UPDATE child SET extra = 'y', changed_at = NULL;
SELECT changed_at IS NOT NULL AS stamped FROM child;
ALTER TABLE parent DROP changed_at;
UPDATE child SET extra = 'z';

SET client_min_messages = error;
RESET search_path;
DROP OWNED BY regress_updated_at;
DROP SCHEMA updated_at CASCADE;
DROP ROLE regress_updated_at;
