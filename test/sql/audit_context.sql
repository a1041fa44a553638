-- Who and where: what the log says of the context of a change, and what can be told it.
SET client_min_messages = error;
\set SHOW_CONTEXT never

CREATE SCHEMA audit_context;
GRANT USAGE ON SCHEMA audit_context TO PUBLIC;
CREATE TABLE audit_context.t (id serial PRIMARY KEY, what text);
CREATE TABLE audit_context.child (id serial PRIMARY KEY, t integer REFERENCES audit_context.t ON DELETE CASCADE);
GRANT ALL ON ALL TABLES IN SCHEMA audit_context TO PUBLIC;
GRANT ALL ON ALL SEQUENCES IN SCHEMA audit_context TO PUBLIC;
DO $$ BEGIN PERFORM steward.audit_enable('audit_context.t'), steward.audit_enable('audit_context.child'); END $$;

-- What the log says of the changes since the last call.
CREATE SEQUENCE audit_context.seen MINVALUE 0;
CREATE FUNCTION audit_context.since() RETURNS SETOF steward.audit_entries LANGUAGE plpgsql AS $$
DECLARE
    before constant bigint := (SELECT last_value FROM audit_context.seen);
BEGIN
    RETURN QUERY SELECT * FROM steward.audit_entries e
      WHERE e.table_schema = 'audit_context' AND e.table_name IN ('t', 'child') ORDER BY e.transaction_id, e.seq OFFSET before;
    PERFORM setval('audit_context.seen', (SELECT count(*) FROM steward.audit_entries e WHERE e.table_schema = 'audit_context' AND e.table_name IN ('t', 'child')));
END $$;

--
-- The settings of an application
--

INSERT INTO audit_context.t (what) VALUES ('nothing set');
BEGIN;
SET LOCAL app.current_user_id = '42';
SET LOCAL app.tenant_id = 'b7d3';
SET LOCAL app.client_ip = '2001:db8::1';
SET LOCAL steward.context = '{"request_id": "r1", "n": 1.50}';
INSERT INTO audit_context.t (what) VALUES ('all set');
-- changed inside the transaction
SET LOCAL app.current_user_id = '43';
INSERT INTO audit_context.t (what) VALUES ('another user');
SET LOCAL steward.context = '';
SET LOCAL app.client_ip = '';
INSERT INTO audit_context.t (what) VALUES ('no request, no address');
COMMIT;
-- gone with it
INSERT INTO audit_context.t (what) VALUES ('nothing set again');
BEGIN;
SELECT set_config('app.current_user_id', 'by set_config', true);
INSERT INTO audit_context.t (what) VALUES ('by set_config');
COMMIT;
INSERT INTO audit_context.t (what) VALUES ('set_config is gone');
SET app.current_user_id = 'session';
INSERT INTO audit_context.t (what) VALUES ('for the session');
DISCARD ALL;
SET client_min_messages = error;
INSERT INTO audit_context.t (what) VALUES ('discarded');
-- found again when others come before and after it, whatever the letter case and the type
SET app.current_user_ic = 'before';
SET app.current_user_ie = 'after';
INSERT INTO audit_context.t (what) VALUES ('neighbours only');
SET App.Current_User_Id = 'between';
SET app.current_user_ia = 'one more';
INSERT INTO audit_context.t (what) VALUES ('among neighbours');
RESET app.current_user_id;
SET steward.audit_user_setting = 'APP.CURRENT_USER_IE';
SET steward.audit_client_ip_setting = 'work_mem';
INSERT INTO audit_context.t (what) VALUES ('another setting, and one that is a number');
RESET steward.audit_user_setting;
RESET steward.audit_client_ip_setting;
-- a function's own setting holds in it
CREATE FUNCTION audit_context.put(text) RETURNS void LANGUAGE sql SET app.current_user_id = 'function'
AS $$ INSERT INTO audit_context.t (what) VALUES ($1) $$;
SELECT audit_context.put('set by the function');
SELECT new_values ->> 'what' AS what, user_id, tenant_id, ip_address, context FROM audit_context.since();

-- a COPY, many rows, one context
BEGIN;
SET LOCAL app.current_user_id = 'loader';
COPY audit_context.t (what) FROM stdin;
a
b
\.
COMMIT;
SELECT count(*), count(DISTINCT user_id), min(user_id) FROM audit_context.since();

--
-- What cannot be read is recorded, and never fails a statement
--

CREATE PROCEDURE audit_context.try(name text, value text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config(name, value, true);
    INSERT INTO audit_context.t (what) VALUES (left(value, 30));
    COMMIT;
END $$;
CALL audit_context.try('app.client_ip', '203.0.113.9, 10.0.0.1');
CALL audit_context.try('app.client_ip', '203.0.113.9:443');
CALL audit_context.try('app.client_ip', ' ');
CALL audit_context.try('app.client_ip', '10.0.0.0/8');
CALL audit_context.try('app.client_ip', '''; DROP TABLE x; --');
CALL audit_context.try('steward.context', 'request r1');
CALL audit_context.try('steward.context', '{"a": 1');
CALL audit_context.try('steward.context', '[1]');
CALL audit_context.try('steward.context', '"text"');
CALL audit_context.try('steward.context', 'null');
CALL audit_context.try('steward.context', '{}');
CALL audit_context.try('steward.context', '{"a": "\u0000"}');
CALL audit_context.try('steward.context', '{"a": "\ud800"}');
CALL audit_context.try('steward.context', '{"n": 1e400000}');
CALL audit_context.try('steward.context', repeat('[', 100000));
CALL audit_context.try('steward.context', '{"a": "' || repeat('x', 100000) || '"}');
CALL audit_context.try('steward.context', '{"a": 1, "malformed": {"b": 2}, "a": 3}');
CALL audit_context.try('app.current_user_id', E'O''Hara "x" \\ \t');
CALL audit_context.try('app.tenant_id', repeat('t', 100000));
SELECT new_values ->> 'what' AS what, left(user_id, 20) AS user_id, left(tenant_id, 10) AS tenant_id, ip_address, left(context::text, 90) AS context FROM audit_context.since();
-- both at once, beside what was right
BEGIN;
SET LOCAL app.client_ip = 'nowhere';
SET LOCAL steward.context = '[]';
INSERT INTO audit_context.t (what) VALUES ('both');
COMMIT;
BEGIN;
SET LOCAL app.client_ip = 'nowhere';
SET LOCAL steward.context = '{"request_id": "r2"}';
INSERT INTO audit_context.t (what) VALUES ('one');
COMMIT;
SELECT new_values ->> 'what' AS what, ip_address, context FROM audit_context.since();
-- the reading of a setting is no savepoint that anybody sees
DO $$
BEGIN
    PERFORM set_config('app.client_ip', 'nowhere again', true);
    INSERT INTO audit_context.t (what) VALUES ('before');
    BEGIN
        PERFORM set_config('app.client_ip', 'nowhere else', true);
        INSERT INTO audit_context.t (what) VALUES ('lost');
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        INSERT INTO audit_context.t (what) VALUES ('after');
    END;
END $$;
SELECT new_values ->> 'what' AS what, context FROM audit_context.since();
-- what a startup packet brings is not checked for the encoding; the log must still be readable and restorable
\getenv pgoptions PGOPTIONS
\if :{?pgoptions}
\else
\set pgoptions ''
\endif
\set bytes `printf -- '-c app.current_user_id=u\377\376 -c app.tenant_id=\303 -c app.client_ip=\342\202 -c steward.context={"a":"\342"}'`
\set option :pgoptions ' ' :bytes
\set database 'dbname=' :DBNAME
\setenv PGOPTIONS :option
\c -reuse-previous=off :database
\setenv PGOPTIONS :pgoptions
SET client_min_messages = error;
INSERT INTO audit_context.t (what) VALUES ('bytes');
SELECT convert_from(convert_to(user_id, 'UTF8'), 'UTF8') AS user_id, tenant_id, ip_address,
       length(context::text) = length(convert_from(convert_to(context::text, 'UTF8'), 'UTF8')) AS context FROM audit_context.since();
\c -reuse-previous=off :database
SET client_min_messages = error;

--
-- Roles
--

CREATE ROLE regress_audit_alice SUPERUSER;
CREATE ROLE regress_audit_bob;
CREATE ROLE regress_audit_definer;
CREATE ROLE "regress_audit Größe, ""63"" bytes 45678901234567890123456789012";
GRANT regress_audit_bob TO regress_audit_alice;
GRANT ALL ON ALL TABLES IN SCHEMA audit_context TO regress_audit_definer;
CREATE FUNCTION audit_context.as_definer(text) RETURNS void LANGUAGE sql SECURITY DEFINER
AS $$ INSERT INTO audit_context.t (what) VALUES ($1) $$;
ALTER FUNCTION audit_context.as_definer(text) OWNER TO regress_audit_definer;

SET SESSION AUTHORIZATION regress_audit_alice;
INSERT INTO audit_context.t (what) VALUES ('session authorization');
SET ROLE regress_audit_bob;
INSERT INTO audit_context.t (what) VALUES ('role');
SELECT audit_context.as_definer('definer, called by bob');
INSERT INTO audit_context.child (t) SELECT id FROM audit_context.t WHERE what = 'role';
DELETE FROM audit_context.t WHERE what = 'role';
RESET ROLE;
SELECT audit_context.as_definer('definer, called by alice');
BEGIN;
SET LOCAL ROLE regress_audit_bob;
INSERT INTO audit_context.t (what) VALUES ('local role');
ROLLBACK;
INSERT INTO audit_context.t (what) VALUES ('alice again');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION "regress_audit Größe, ""63"" bytes 45678901234567890123456789012";
INSERT INTO audit_context.t (what) VALUES ('long name');
RESET SESSION AUTHORIZATION;
SELECT table_name, operation, coalesce(new_values ->> 'what', old_values ->> 'what') AS what, session_user_name, changed_by FROM audit_context.since();
-- the log keeps the name that the role had
ALTER ROLE regress_audit_bob RENAME TO regress_audit_robert;
SET ROLE regress_audit_robert;
INSERT INTO audit_context.t (what) VALUES ('renamed');
RESET ROLE;
SELECT changed_by FROM audit_context.since();

--
-- The connection
--

SET application_name = 'regress one';
INSERT INTO audit_context.t (what) VALUES ('one');
SET application_name = 'regress "two"';
INSERT INTO audit_context.t (what) VALUES ('two');
SELECT new_values ->> 'what' AS what, application_name FROM audit_context.since();
SET application_name = 'regress one';
INSERT INTO audit_context.t (what) VALUES ('one');
SELECT c.backend_pid = pg_backend_pid() AS pid, c.backend_start <= now() AS start, c.client_addr IS NOT DISTINCT FROM inet_client_addr() AS addr,
       c.client_port IS NOT DISTINCT FROM inet_client_port() AS port, c.origin, c.era = (SELECT system_identifier FROM pg_control_system()) AS era
  FROM audit_context.since() e JOIN steward.audit_events v ON v.transaction_id = e.transaction_id AND v.seq = e.seq
  JOIN steward.audit_contexts c ON c.context_id = v.context_id;
-- changes that come by replication
SELECT pg_replication_origin_create('regress_audit_origin') IS NOT NULL AS created;
SELECT pg_replication_origin_session_setup('regress_audit_origin');
INSERT INTO audit_context.t (what) VALUES ('replicated');
SELECT pg_replication_origin_session_reset();
INSERT INTO audit_context.t (what) VALUES ('not replicated');
SELECT pg_replication_origin_drop('regress_audit_origin');
SELECT new_values ->> 'what' AS what, origin FROM audit_context.since();

--
-- A context is stored once, and is there if the event is
--

\c -
SET client_min_messages = error;
INSERT INTO audit_context.t (what) VALUES ('first');
INSERT INTO audit_context.t (what) VALUES ('second');
INSERT INTO audit_context.t (what) VALUES ('third');
SELECT count(*) AS stored_by_this_session FROM steward.audit_contexts WHERE backend_pid = pg_backend_pid() AND backend_start > now() - interval '10 min';
CREATE FUNCTION audit_context.stored() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM steward.audit_contexts';
SET application_name = 'regress three';
SELECT audit_context.stored() AS before \gset
DO $$
BEGIN
    FOR i IN 1..50 LOOP
        INSERT INTO audit_context.t (what) VALUES ('same');
        COMMIT;
    END LOOP;
END $$;
SELECT audit_context.stored() - :before AS stored_for_50_transactions;
SELECT audit_context.stored() AS before \gset
DO $$
BEGIN
    FOR i IN 1..50 LOOP
        PERFORM set_config('app.current_user_id', 'user ' || i % 2, true);
        INSERT INTO audit_context.t (what) VALUES ('of two');
        PERFORM set_config('steward.context', '{"odd": true}', i % 2 = 1);
        INSERT INTO audit_context.t (what) VALUES ('of two more');
        COMMIT;
    END LOOP;
END $$;
RESET steward.context;
SELECT audit_context.stored() - :before <= 5 AS few_for_100_changes;
SELECT count(*) FROM audit_context.since();
-- more users than are remembered
DO $$
BEGIN
    FOR i IN 1..1100 LOOP
        PERFORM set_config('app.current_user_id', 'user ' || i, true);
        INSERT INTO audit_context.t (what) VALUES (i);
    END LOOP;
    COMMIT;
    FOR i IN 1..1100 LOOP
        PERFORM set_config('app.current_user_id', 'user ' || i, true);
        INSERT INTO audit_context.t (what) VALUES (i);
    END LOOP;
END $$;
SELECT count(*), count(*) FILTER (WHERE user_id = 'user ' || (new_values ->> 'what')) AS right FROM audit_context.since();

-- the transaction or savepoint that stored it is rolled back: it must be stored again
BEGIN;
SET LOCAL app.current_user_id = 'rolled back';
INSERT INTO audit_context.t (what) VALUES ('rolled back');
ROLLBACK;
BEGIN;
SET LOCAL app.current_user_id = 'rolled back';
INSERT INTO audit_context.t (what) VALUES ('committed');
COMMIT;
BEGIN;
SAVEPOINT a;
SET LOCAL app.current_user_id = 'in a savepoint';
INSERT INTO audit_context.t (what) VALUES ('lost');
SAVEPOINT b;
SET LOCAL app.tenant_id = 'in a savepoint';
INSERT INTO audit_context.t (what) VALUES ('lost');
RELEASE b;
ROLLBACK TO a;
SET LOCAL app.current_user_id = 'in a savepoint';
INSERT INTO audit_context.t (what) VALUES ('kept');
SAVEPOINT c;
SET LOCAL app.tenant_id = 'in a savepoint';
INSERT INTO audit_context.t (what) VALUES ('kept');
RELEASE c;
INSERT INTO audit_context.t (what) VALUES ('kept');
SAVEPOINT d;
SET LOCAL app.tenant_id = 'in another';
INSERT INTO audit_context.t (what) VALUES ('kept');
RELEASE d;
COMMIT;
DO $$
BEGIN
    FOR i IN 1..3 LOOP
        BEGIN
            PERFORM set_config('app.current_user_id', 'in a block', true);
            INSERT INTO audit_context.t (what) VALUES ('attempt ' || i);
            IF i < 3 THEN
                RAISE division_by_zero;
            END IF;
        EXCEPTION WHEN division_by_zero THEN
            PERFORM set_config('app.current_user_id', 'in a block', true);
            INSERT INTO audit_context.t (what) VALUES ('caught ' || i);
        END;
    END LOOP;
END $$;
SELECT new_values ->> 'what' AS what, user_id, tenant_id FROM audit_context.since();
SELECT count(*) AS events_without_context FROM steward.audit_events e
 WHERE NOT EXISTS (SELECT FROM steward.audit_contexts c WHERE c.context_id = e.context_id);

--
-- Nobody but a superuser says where to look, or turns the guard
--

SET steward.audit_user_setting = 'app.other_user';
SET steward.audit_client_ip_setting = '';
SET steward.audit_tenant_setting = 'no.such.setting';
SET app.other_user = 'other';
SET app.client_ip = '10.0.0.1';
INSERT INTO audit_context.t (what) VALUES ('other names');
RESET steward.audit_user_setting;
RESET steward.audit_client_ip_setting;
RESET steward.audit_tenant_setting;
INSERT INTO audit_context.t (what) VALUES ('usual names');
RESET app.client_ip;
SELECT new_values ->> 'what' AS what, user_id, tenant_id, ip_address FROM audit_context.since();
CREATE ROLE regress_audit_mallory;
SET SESSION AUTHORIZATION regress_audit_mallory;
SET steward.audit_user_setting = 'app.mine';
SET steward.audit_client_ip_setting = 'app.mine';
SET steward.audit_tenant_setting = 'app.mine';
SET steward.audit_redaction_key = 'mine';
SET steward.audit_redaction_key_file = '/dev/null';
SET steward.audit_guard = off;
SET steward.audit_retention = '1d';
DO $$
BEGIN
    RAISE INFO 'the key is %', current_setting('steward.audit_redaction_key');
EXCEPTION WHEN insufficient_privilege THEN
    RAISE INFO 'the key is hidden';
END $$;
SET steward.unknown = 1;
RESET SESSION AUTHORIZATION;
-- nor in a session that has not met the library yet
\c -
SET client_min_messages = error;
SET SESSION AUTHORIZATION regress_audit_mallory;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{audit_user_setting,audit_client_ip_setting,audit_tenant_setting,audit_guard,audit_redaction_key,audit_redaction_key_file,audit_retention,unknown}'::text[] LOOP
        BEGIN
            PERFORM set_config('steward.' || name, CASE name WHEN 'audit_guard' THEN 'off' WHEN 'audit_retention' THEN '1d' ELSE 'app.mine' END, false);
        EXCEPTION WHEN insufficient_privilege OR invalid_name THEN
            NULL;  -- the library is preloaded
        END;
    END LOOP;
END $$;
SET app.mine = 'forged';
SET app.current_user_id = 'true';
INSERT INTO audit_context.t (what) VALUES ('mallory');
RESET SESSION AUTHORIZATION;
SELECT user_id, tenant_id, ip_address, session_user_name FROM audit_context.since();
SELECT current_setting('steward.audit_guard') AS guard, current_setting('steward.audit_retention') AS retention, current_setting('steward.audit_user_setting') AS user_setting,
       current_setting('steward.audit_redaction_key') LIKE '%mine%' AS key, current_setting('steward.audit_redaction_key_file') AS key_file, current_setting('steward.unknown', true) AS unknown;
-- what a superuser sets there counts
\c -
SET client_min_messages = error;
SET steward.audit_user_setting = 'app.mine';
SET app.mine = 'set early';
SET steward.context = '{"set": "early"}';
INSERT INTO audit_context.t (what) VALUES ('early');
SELECT user_id, context FROM audit_context.since();
\c -
SET client_min_messages = error;

--
-- Hostile surroundings
--

CREATE SCHEMA audit_context_evil;
GRANT ALL ON SCHEMA audit_context_evil TO regress_audit_mallory;
CREATE TABLE audit_context_evil.caught (who name, what text);
GRANT ALL ON audit_context_evil.caught TO PUBLIC;
-- functions and operators that are a better match than the real ones, where the path allows it
DO $$
DECLARE
    f text;
BEGIN
    FOREACH f IN ARRAY ARRAY[
        'format(text, text) RETURNS text', 'format(text, text, text) RETURNS text', 'format(text, name, name) RETURNS text', 'format(text, name) RETURNS text',
        'quote_ident(name) RETURNS text', 'quote_literal(name) RETURNS text', 'array_to_string(name[], text) RETURNS text',
        'current_setting(unknown_text) RETURNS text', 'clock_timestamp() RETURNS timestamptz', 'date_trunc(text, timestamptz) RETURNS timestamptz',
        'to_char(timestamptz, text) RETURNS text', 'pg_has_role(oid, text) RETURNS boolean', 'pg_get_userbyid(oid) RETURNS name', 'num_nulls() RETURNS integer',
        'audit_trigger() RETURNS trigger', 'audit_check(regclass) RETURNS void', 'audit_table_id(regclass) RETURNS bigint', 'check_owner(regclass) RETURNS void',
        'jsonb_each(jsonb) RETURNS text', 'pg_partition_tree(regclass) RETURNS text', 'upper(text) RETURNS text',
        'name_eq(name, name) RETURNS boolean', 'oid_eq(oid, oid) RETURNS boolean', 'char_eq("char", "char") RETURNS boolean', 'bytea_ne(bytea, bytea) RETURNS boolean',
        'text_cat(text, text) RETURNS text', 'int8_eq(bigint, bigint) RETURNS boolean', 'jsonb_get(jsonb, text) RETURNS jsonb', 'tz_lt(timestamptz, timestamptz) RETURNS boolean'] LOOP
        f := replace(f, 'unknown_text', 'text');
        EXECUTE format('CREATE FUNCTION audit_context_evil.%s LANGUAGE plpgsql AS $f$
            BEGIN INSERT INTO audit_context_evil.caught VALUES (current_user, %L); %s; END $f$', f, f,
            CASE WHEN f LIKE '%RETURNS trigger' OR f NOT LIKE '%RETURNS void' THEN 'RETURN NULL' ELSE 'RETURN' END);
    END LOOP;
END $$;
CREATE OPERATOR audit_context_evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = audit_context_evil.name_eq);
CREATE OPERATOR audit_context_evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = audit_context_evil.oid_eq);
CREATE OPERATOR audit_context_evil.= (LEFTARG = "char", RIGHTARG = "char", FUNCTION = audit_context_evil.char_eq);
CREATE OPERATOR audit_context_evil.<> (LEFTARG = bytea, RIGHTARG = bytea, FUNCTION = audit_context_evil.bytea_ne);
CREATE OPERATOR audit_context_evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = audit_context_evil.int8_eq);
CREATE OPERATOR audit_context_evil.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = audit_context_evil.text_cat);
CREATE OPERATOR audit_context_evil.-> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = audit_context_evil.jsonb_get);
CREATE OPERATOR audit_context_evil.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = audit_context_evil.tz_lt);
CREATE TABLE audit_context_evil.audit_events (LIKE steward.audit_events);
CREATE TABLE audit_context_evil.audit_events_default (LIKE steward.audit_events);
CREATE TABLE audit_context_evil.audit_contexts (LIKE steward.audit_contexts);
CREATE TABLE audit_context_evil.audit_tables (LIKE steward.audit_tables);
CREATE TABLE audit_context_evil.pg_class (oid oid, relname name);
CREATE TABLE audit_context_evil.pg_trigger (oid oid, tgname name);
CREATE TEMPORARY TABLE pg_class (oid oid, relname name);
CREATE TEMPORARY TABLE pg_inherits (inhrelid oid, inhparent oid);
CREATE TEMPORARY TABLE audit_events (LIKE steward.audit_events);
CREATE TEMPORARY TABLE audit_contexts (LIKE steward.audit_contexts);
CREATE FUNCTION pg_temp.format(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit_context_evil.caught VALUES (current_user, 'pg_temp.format'); RETURN NULL; END $$;
CREATE DOMAIN audit_context_evil.jsonb AS text;
CREATE TABLE audit_context.target (id bigint PRIMARY KEY, a text, b name) PARTITION BY RANGE (id);
CREATE TABLE audit_context.target_1 PARTITION OF audit_context.target DEFAULT;
SET search_path = audit_context_evil, pg_temp, pg_catalog;
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS enabled FROM steward.audit_enable('audit_context.target', exclude => '{a}');
SELECT count(*) FROM steward.audit_enable('audit_context.target', exclude => '{a}');
INSERT INTO audit_context.target VALUES (1, 'a', 'b');
UPDATE audit_context.target SET b = 'c';
SELECT operation, new_values FROM steward.audit_history('audit_context.target', 1);
SELECT count(*) FROM steward.audit_coverage WHERE table_name OPERATOR(pg_catalog.=) 'target';
BEGIN;
SELECT count(*) OPERATOR(pg_catalog.>=) 0 AS maintained FROM steward.audit_maintain();
INSERT INTO audit_context.target VALUES (2, 'a', 'b');
ROLLBACK;
INSERT INTO audit_context.target VALUES (2, 'a', 'b');
SELECT count(*) FROM steward.audit_log WHERE table_schema OPERATOR(pg_catalog.=) 'audit_context' AND table_name OPERATOR(pg_catalog.=) 'target';
SELECT count(*) FROM steward.audit_enable_schema('audit_context');
SELECT count(*) FROM steward.audit_disable('audit_context.target');
SET SESSION AUTHORIZATION regress_audit_alice;
DELETE FROM steward.audit_events;
RESET SESSION AUTHORIZATION;
RESET search_path;
SELECT * FROM audit_context_evil.caught;
SELECT count(*) AS diverted FROM (SELECT FROM audit_context_evil.audit_events UNION ALL SELECT FROM audit_context_evil.audit_events_default UNION ALL SELECT FROM audit_context_evil.audit_contexts
    UNION ALL SELECT FROM audit_context_evil.audit_tables UNION ALL SELECT FROM pg_temp.audit_events UNION ALL SELECT FROM pg_temp.audit_contexts) d;
-- no path at all
SET search_path = '';
INSERT INTO audit_context.t (what) VALUES ('no path');
SELECT operation FROM audit_context.since();
RESET search_path;

DROP SCHEMA audit_context, audit_context_evil CASCADE;
DROP TABLE pg_temp.pg_class, pg_temp.pg_inherits, pg_temp.audit_events, pg_temp.audit_contexts;
DROP FUNCTION pg_temp.format(text, text);
DROP ROLE regress_audit_alice, regress_audit_robert, regress_audit_definer, regress_audit_mallory, "regress_audit Größe, ""63"" bytes 45678901234567890123456789012";
