-- Upkeep of the log: partitions ahead, retention, and who may ask for it.  In a
-- database of its own, because it moves and drops what others have written.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\set regression :DBNAME
CREATE DATABASE regress_audit_maintain;
\c regress_audit_maintain
SET client_min_messages = error;
CREATE EXTENSION pgcrypto SCHEMA public;
CREATE EXTENSION pg_steward;
CREATE TABLE public.t (id serial PRIMARY KEY, a text);
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('public.t');

-- Where events are, told by how their partition stands to the present month.
CREATE VIEW public.places AS
SELECT e.new_values ->> 'a' AS a,
       CASE WHEN p.lower_bound IS NULL THEN 'default'
            WHEN e.recorded_at >= p.lower_bound AND e.recorded_at < p.upper_bound THEN 'right'
            ELSE 'wrong' END AS place
  FROM steward.audit_events e JOIN steward.audit_partitions p ON p.relation_id = e.tableoid
 WHERE e.table_id = steward_internal.audit_table_id('public.t');
-- The partitions with bounds, as months from now.
CREATE VIEW public.months AS
SELECT (extract(year FROM p.lower_bound AT TIME ZONE 'UTC') - extract(year FROM now() AT TIME ZONE 'UTC')) * 12
       + extract(month FROM p.lower_bound AT TIME ZONE 'UTC') - extract(month FROM now() AT TIME ZONE 'UTC') AS from_now,
       p.lower_bound AT TIME ZONE 'UTC' = date_trunc('month', p.lower_bound AT TIME ZONE 'UTC')
       AND p.upper_bound AT TIME ZONE 'UTC' = p.lower_bound AT TIME ZONE 'UTC' + interval '1 month' AS whole
  FROM steward.audit_partitions p WHERE p.lower_bound IS NOT NULL;

-- Drops every partition but the default one.
CREATE PROCEDURE public.drop_partitions() LANGUAGE plpgsql SET steward.audit_guard = off AS $$
DECLARE
    p text;
BEGIN
    FOR p IN SELECT qualified_name FROM steward.audit_partitions WHERE lower_bound IS NOT NULL LOOP
        EXECUTE 'DROP TABLE ' || p;
    END LOOP;
END $$;

-- What upkeep did, but for indexes that autovacuum has in hand.
CREATE FUNCTION public.maintain() RETURNS TABLE (action text, partition text, detail text) LANGUAGE sql AS $$
SELECT * FROM steward.audit_maintain() m WHERE m.partition NOT LIKE '%_idx'
$$;

--
-- Partitions ahead
--

INSERT INTO public.t (a) VALUES ('in the default');
SELECT finding, severity, object, detail, remedy FROM steward.findings WHERE finding ~ '^audit_';
SELECT * FROM public.places;
SELECT action, count(*), count(DISTINCT partition) AS partitions, sum(substring(detail from '(\d+) events')::integer) AS moved FROM public.maintain() GROUP BY action;
SELECT * FROM public.months ORDER BY 1;
SELECT * FROM public.places;
-- nothing is left to do
SELECT * FROM public.maintain();
SELECT pg_stat_force_next_flush();
SELECT finding FROM steward.findings WHERE finding ~ '^audit_';
-- the session that wrote before writes to the new partition, also in large statements
INSERT INTO public.t (a) VALUES ('after');
INSERT INTO public.t (a) SELECT 'lots' FROM generate_series(1, 2500);
SELECT a, place, count(*) FROM public.places GROUP BY a, place ORDER BY a;
SELECT count(*) FROM ONLY steward.audit_events_default;
-- the index on time, which has a summary of these blocks by now, finds every event that came after it
SELECT count(*) FROM public.maintain();
INSERT INTO public.t (a) SELECT repeat('more ', n % 20) FROM generate_series(1, 3000) n;
DO $$ BEGIN FOR i IN 1..300 LOOP UPDATE public.t SET a = 'one' || i WHERE id = i + 100; END LOOP; END $$;
SET enable_seqscan = off;
DO $$
DECLARE
    e record;
    missing integer := 0;
BEGIN
    FOR e IN SELECT tableoid::regclass AS partition, recorded_at, transaction_id, count(*) FROM steward.audit_events WHERE seq % 13 = 0 GROUP BY 1, 2, 3 LOOP
        EXECUTE format('SELECT %s - count(*) FROM %s WHERE recorded_at = %L AND transaction_id = %L AND seq %% 13 = 0', e.count, e.partition, e.recorded_at, e.transaction_id)
           INTO e.count;
        missing := missing + e.count;
    END LOOP;
    RAISE INFO '% events missing', missing;
END $$;
RESET enable_seqscan;
-- partitions are made like the default one
SELECT count(DISTINCT i.definitions) AS kinds_of_indexes, min(array_length(i.definitions, 1)) > 1 AS indexes, count(DISTINCT g.guards) AS kinds_of_guards, min(g.guards) AS guards
  FROM steward.audit_partitions p
 CROSS JOIN LATERAL (SELECT array_agg(regexp_replace(pg_get_indexdef(x.indexrelid), '^.* USING', '') ORDER BY pg_get_indexdef(x.indexrelid, 1, true), x.indpred IS NULL) AS definitions
                       FROM pg_index x WHERE x.indrelid = p.relation_id) i
 CROSS JOIN LATERAL (SELECT string_agg(concat_ws(' ', tgname, tgenabled, tgtype), ', ' ORDER BY tgname COLLATE "C") AS guards FROM pg_trigger WHERE tgrelid = p.relation_id) g;
SELECT count(*) AS found FROM steward.audit_history('public.t', 1);
CREATE ROLE regress_audit_keeper;
DO $$
DECLARE
    p text;
    command text;
BEGIN
    FOR p IN SELECT qualified_name FROM steward.audit_partitions ORDER BY lower_bound LOOP
        FOREACH command IN ARRAY ARRAY['INSERT INTO %1$s SELECT * FROM %1$s', 'UPDATE %s SET seq = seq', 'DELETE FROM %s', 'TRUNCATE %s'] LOOP
            BEGIN
                EXECUTE format(command, p);
                RAISE INFO '% passed', format(command, p);
            EXCEPTION WHEN insufficient_privilege THEN
                NULL;
            END;
        END LOOP;
    END LOOP;
END $$;

-- whoever may read the log may read, and lock for pg_dump, what comes later; only roles that have its columns do without
CREATE ROLE regress_audit_columns;
CREATE ROLE regress_audit_owner SUPERUSER;
GRANT SELECT ON steward.audit_events TO regress_audit_keeper WITH GRANT OPTION;
GRANT SELECT (recorded_at) ON steward.audit_events TO regress_audit_columns;
ALTER TABLE steward.audit_events OWNER TO regress_audit_owner;
CALL public.drop_partitions();
SELECT count(*) FROM public.maintain();
SELECT count(*) > 1 AS partitions, bool_and(has_table_privilege('regress_audit_keeper', p.relation_id, 'SELECT WITH GRANT OPTION')) AS reader,
       bool_or(has_any_column_privilege('regress_audit_columns', p.relation_id, 'SELECT')) AS columns, array_agg(DISTINCT c.relowner::regrole)
  FROM steward.audit_partitions p JOIN pg_class c ON c.oid = p.relation_id WHERE p.lower_bound IS NOT NULL;
-- and no longer than the log
REVOKE SELECT ON steward.audit_events FROM regress_audit_keeper;
GRANT SELECT ON steward.audit_events TO PUBLIC;
SELECT count(*) FROM public.maintain();
SELECT DISTINCT x.grantee::regrole, x.privilege_type FROM pg_class c CROSS JOIN aclexplode(c.relacl) x
 WHERE c.oid IN (SELECT relation_id FROM steward.audit_partitions) AND x.grantee <> c.relowner ORDER BY 1;
REVOKE SELECT ON steward.audit_events FROM PUBLIC;
SET steward.audit_guard = off;
REASSIGN OWNED BY regress_audit_owner TO CURRENT_USER;
DROP OWNED BY regress_audit_owner, regress_audit_columns, regress_audit_keeper;
RESET steward.audit_guard;
DROP ROLE regress_audit_owner, regress_audit_columns;

-- in a transaction with writes of its own, undone and done
CALL public.drop_partitions();
BEGIN;
INSERT INTO public.t (a) VALUES ('undone');
SELECT count(*) FROM public.maintain();
INSERT INTO public.t (a) VALUES ('undone');
ROLLBACK;
INSERT INTO public.t (a) VALUES ('1 none yet');
BEGIN;
INSERT INTO public.t (a) VALUES ('2 before');
SAVEPOINT s;
SELECT count(*) FROM public.maintain();
INSERT INTO public.t (a) VALUES ('undone');
ROLLBACK TO s;
INSERT INTO public.t (a) VALUES ('3 none yet');
SELECT count(*) FROM public.maintain();
INSERT INTO public.t (a) VALUES ('4 in the same transaction');
COMMIT;
INSERT INTO public.t (a) VALUES ('5 after');
SELECT * FROM public.places ORDER BY a;

--
-- Retention
--

-- events and contexts of the past, as if other sessions had written them
CREATE PROCEDURE public.past(age interval, what text) LANGUAGE sql SET steward.audit_guard = off AS $$
INSERT INTO steward.audit_contexts (context_id, era, created_at, session_user_name, role_name, application_name, backend_pid, backend_start)
SELECT extract(epoch FROM age), system_identifier, now() - age - interval '1 hour', 'past', 'past', what, 0, now() - age FROM pg_control_system();
INSERT INTO steward.audit_events (recorded_at, transaction_id, context_id, table_id, key_hash, seq, operation, record_key, new_values)
VALUES (now() - age, '3', extract(epoch FROM age), steward_internal.audit_table_id('public.t'), 0, extract(epoch FROM age), 'I', '{"id": 0}', jsonb_build_object('a', what));
$$;
CALL public.past('400 days', 'a year ago');
CALL public.past('100 days', 'three months ago');
CALL public.past('95 days', 'three months ago');
SELECT a, place FROM public.places WHERE a LIKE '%ago' ORDER BY a;
-- none is set: all is kept, in the partition it belongs to
SELECT DISTINCT action FROM public.maintain();
SELECT a, place FROM public.places WHERE a LIKE '%ago' ORDER BY a;
SELECT count(*) FROM public.months WHERE from_now < 0 AND whole;
INSERT INTO public.t (a) VALUES ('between');
-- a partition goes when all of it is old enough
SET steward.audit_retention = '200d';
SELECT DISTINCT action FROM public.maintain() ORDER BY 1;
SELECT a, count(*) FROM public.places WHERE a LIKE '%ago' GROUP BY a ORDER BY a;
-- the next call removes contexts that served these events only
SELECT DISTINCT action FROM public.maintain();
SELECT application_name, count(*) FROM steward.audit_contexts WHERE session_user_name = 'past' GROUP BY 1 ORDER BY 1;
CALL public.past('150 days', 'straight from the default');
SET steward.audit_retention = '60d';
SELECT DISTINCT action FROM public.maintain() ORDER BY 1;
SELECT count(*) FROM steward.audit_events WHERE recorded_at < now() - interval '95 days';
SELECT DISTINCT action FROM public.maintain();
SELECT count(*) FROM steward.audit_events e WHERE NOT EXISTS (SELECT FROM steward.audit_contexts c WHERE c.context_id = e.context_id);
INSERT INTO public.t (a) VALUES ('goes on');
SELECT a, place FROM public.places WHERE a = 'goes on';
SELECT DISTINCT action FROM public.maintain();
RESET steward.audit_retention;
-- an age has a unit; what it would be without one is not what anybody means
SET steward.audit_retention = '90';
SET steward.audit_retention = 90;
SET steward.audit_retention = '1 day 90';
SET steward.audit_retention = '3m';
SET steward.audit_retention = '-1d';
SET steward.audit_retention = '90 days ago';
SET steward.audit_retention = 'a year';
SET steward.audit_retention = 'infinity';
SET steward.audit_retention = '1001 years';
SET steward.audit_retention = '2147483647 years';
SET steward.audit_retention = '';
-- nor is less than a partition spans
SET steward.audit_retention = '90min';
SET steward.audit_retention = '23:59:59.999999';
SET steward.audit_retention = '29 days';
CALL public.past('95 days', 'three months ago');
SELECT action, detail FROM public.maintain() WHERE action IN ('kept', 'dropped');
SET steward.audit_retention = '30 days';
SELECT action FROM public.maintain() WHERE action IN ('kept', 'dropped');
RESET steward.audit_retention;
SHOW steward.audit_retention;
DO $$
DECLARE
    age text;
BEGIN
    FOREACH age IN ARRAY '{90 days,90d,6 months,1 year 2 mons,24:00,36h,1000 years,0,0 days,+1 day}'::text[] LOOP
        PERFORM set_config('steward.audit_retention', age, true);
        RAISE INFO '% is %', current_setting('steward.audit_retention'), current_setting('steward.audit_retention')::interval;
    END LOOP;
END $$;
SELECT DISTINCT action FROM public.maintain();
ALTER SYSTEM SET steward.audit_retention = '90';
ALTER DATABASE regress_audit_maintain SET steward.audit_retention = '90';
SET steward.audit_partition_interval = 'year';

--
-- Other spans, and a change between them
--

CALL public.drop_partitions();
SET steward.audit_partition_interval = 'day';
SET steward.audit_partitions_ahead = 1;
CALL public.past('2 days', 'the day before yesterday');
SELECT action, count(*) FROM public.maintain() GROUP BY action;
SELECT count(*), bool_and(upper_bound - lower_bound = interval '1 day') AS days, bool_and(extract(hour FROM lower_bound AT TIME ZONE 'UTC') = 0) AS at_midnight
  FROM steward.audit_partitions WHERE lower_bound IS NOT NULL;
SET steward.audit_partition_interval = 'week';
SET steward.audit_partitions_ahead = 5;
CALL public.past('300 days', 'months ago');
SELECT DISTINCT action FROM public.maintain();
SELECT count(*) FROM steward.audit_partitions WHERE upper_bound - lower_bound = interval '7 days' AND extract(isodow FROM lower_bound AT TIME ZONE 'UTC') = 1 AND lower_bound < now() - interval '290 days';
INSERT INTO public.t (a) VALUES ('weekly');
-- an old event that neither a whole month nor a week there is takes: it must go with its time all the same
CALL public.past('310 days', 'months ago');
SET steward.audit_partition_interval = 'month';
SET steward.audit_partitions_ahead = 2;
SELECT count(*) FROM public.maintain() WHERE action <> 'created';
SET steward.audit_retention = '30d';
DO $$ BEGIN PERFORM count(*) FROM public.maintain(); PERFORM count(*) FROM public.maintain(); END $$;
SELECT count(*) AS kept_too_long FROM steward.audit_events WHERE recorded_at < now() - interval '70 days';
RESET steward.audit_retention;
-- the coming two months have no hole in them
SELECT count(*) AS holes FROM generate_series(now(), now() + interval '60 days', '1 day') d
 WHERE NOT EXISTS (SELECT FROM steward.audit_partitions p WHERE p.lower_bound <= d AND d < p.upper_bound);
SELECT place FROM public.places WHERE a = 'weekly';
-- what came late waits in the default partition, and is told of
CALL public.past('1000 days', 'late');
SELECT pg_stat_force_next_flush();
SELECT finding, regexp_replace(detail, '[1-9]\d* events', 'N events') AS detail FROM steward.findings WHERE finding = 'audit_default_partition';
SET steward.audit_retention = '30d';
SELECT DISTINCT action FROM public.maintain() ORDER BY 1;
RESET steward.audit_retention;
-- bounds are read right, however the session prints times
SELECT min(lower_bound) AS lowest, max(upper_bound) AS highest FROM steward.audit_partitions \gset
SET TimeZone = 'Asia/Kolkata';
SET DateStyle = 'SQL, DMY';
SELECT min(lower_bound) = :'lowest'::timestamptz AS same FROM steward.audit_partitions;
RESET DateStyle;
RESET TimeZone;
SELECT count(*) FROM steward.audit_partitions WHERE upper_bound <= lower_bound;
RESET steward.audit_partition_interval;
RESET steward.audit_partitions_ahead;

--
-- A default partition with many events
--

CALL public.drop_partitions();
CREATE VIEW public.shapes AS
SELECT CASE WHEN p.lower_bound IS NULL THEN 'default' WHEN p.upper_bound <= now() THEN 'past' WHEN p.lower_bound <= now() THEN 'present' ELSE 'ahead' END AS shape,
       count(*) AS partitions, sum(e.events) AS events
  FROM steward.audit_partitions p
  LEFT JOIN (SELECT tableoid, count(*) AS events FROM steward.audit_events GROUP BY 1) e ON e.tableoid = p.relation_id
 GROUP BY 1;
-- What a table is but for its place: columns, indexes, triggers, policies, comment, replica identity, what the extension and pg_dump have of it.
CREATE FUNCTION public.portrait(relation regclass) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(E'\n', obj_description(relation), c.relreplident,
                 (SELECT string_agg(concat_ws(' ', a.attname, a.atttypid::regtype, a.attnotnull, a.attcollation), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0),
                 (SELECT string_agg(replace(pg_get_indexdef(i.indexrelid), c.relname, 'audit_events_default'), E'\n' ORDER BY i.indexrelid::regclass::text) FROM pg_index i WHERE i.indrelid = relation),
                 (SELECT string_agg(concat_ws(' ', t.tgname, t.tgenabled, t.tgtype), ', ' ORDER BY t.tgname) FROM pg_trigger t WHERE t.tgrelid = relation),
                 (SELECT string_agg(pg_get_expr(p.polqual, p.polrelid), ', ') FROM pg_policy p WHERE p.polrelid = relation),
                 (SELECT string_agg(pg_get_constraintdef(k.oid), ', ') FROM pg_constraint k WHERE k.conrelid = relation),
                 c.relrowsecurity, c.relowner::regrole, (SELECT string_agg(concat_ws(' ', x.grantee::regrole, x.privilege_type), ', ' ORDER BY x.grantee, x.privilege_type) FROM aclexplode(c.relacl) x WHERE x.grantee <> c.relowner),
                 (SELECT x.extname FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid WHERE d.classid = 'pg_class'::regclass AND d.objid = relation AND d.deptype = 'e'),
                 (SELECT x.extcondition[array_position(x.extconfig, relation::oid)] IS NOT NULL FROM pg_extension x WHERE x.extname = 'pg_steward'))
  FROM pg_class c WHERE c.oid = relation
$$;
GRANT SELECT ON steward.audit_events TO regress_audit_keeper;
SELECT count(*) > 0 AS shared FROM public.maintain();
CALL public.drop_partitions();
SELECT public.portrait('steward.audit_events_default') AS default_portrait, (SELECT array_length(extconfig, 1) FROM pg_extension WHERE extname = 'pg_steward') AS dumped \gset
DELETE FROM public.t;
INSERT INTO public.t (a) SELECT 'many' FROM generate_series(1, 11000);
CALL public.past('40 days', 'a month ago');
SELECT count(*) AS events FROM steward.audit_events \gset
-- it is to be a partition as it is, of all months in a row that it has events of
SELECT action, partition, regexp_replace(detail, 'from .* to .*:', '...:') AS detail FROM public.maintain();
SELECT * FROM public.shapes ORDER BY shape;
INSERT INTO public.t (a) VALUES ('meanwhile');
SELECT action, count(*), count(*) FILTER (WHERE detail LIKE '% 0 events moved in') AS empty, count(*) FILTER (WHERE detail LIKE '%, of the default partition') AS attached
  FROM public.maintain() GROUP BY action;
SELECT shape, partitions, events - :events AS more FROM public.shapes ORDER BY shape;
SELECT upper_bound - lower_bound > interval '55 days' AS wide, qualified_name = 'steward.audit_events_' || to_char(lower_bound AT TIME ZONE 'UTC', 'YYYY_MM') AS named FROM steward.audit_partitions WHERE lower_bound <= now() AND now() < upper_bound;
INSERT INTO public.t (a) VALUES ('after');
SELECT place FROM public.places WHERE a = 'after';
SELECT * FROM public.maintain();
SELECT count(*) AS found FROM steward.audit_history('public.t', (SELECT max(id) FROM public.t));
SELECT count(*) FROM steward.audit_events WHERE recorded_at > now() - interval '1 hour' AND new_values ->> 'a' = 'meanwhile';
-- its successor is what it was, and it is what the others are
SELECT public.portrait('steward.audit_events_default') = :'default_portrait' AS same, (SELECT array_length(extconfig, 1) FROM pg_extension WHERE extname = 'pg_steward') = :dumped AS dumped;
SELECT count(DISTINCT public.portrait(relation_id)) FROM steward.audit_partitions WHERE lower_bound IS NOT NULL;
-- events of other times, which partitions in between keep apart, go to partitions of their own; those ahead wait
CALL public.drop_partitions();
CREATE TABLE steward.audit_events_between PARTITION OF steward.audit_events FOR VALUES FROM ('2020-01-01+00') TO ('2020-02-01+00');
SELECT steward_internal.audit_equip('steward.audit_events_between');
INSERT INTO public.t (a) SELECT 'many' FROM generate_series(1, 11000);
CALL public.past(now() - '2019-12-24', 'before it');
SELECT pg_stat_force_next_flush();
SELECT finding, severity, object, detail, remedy FROM steward.findings WHERE finding = 'audit_retention';
SET steward.audit_retention = '100 years';
SELECT finding FROM steward.findings WHERE finding = 'audit_retention';
RESET steward.audit_retention;
SELECT action, regexp_replace(partition, '_20[2-9]\d_\d\d$', '_PRESENT') AS partition, count(*) FROM public.maintain() GROUP BY 1, 2 ORDER BY 1;
SELECT a, place, count(*) FROM public.places GROUP BY a, place ORDER BY a COLLATE "C";
-- until the second call nothing else can be restored; if bounds do not hold all the same, they are looked for anew
\set VERBOSITY terse
CALL public.past(now() - '2020-02-24', 'behind it');
\set VERBOSITY default
SELECT finding, severity, detail ~ '^(holds about \d{5} events|takes all events, )' AS told FROM steward.findings WHERE finding = 'audit_default_partition';
SELECT pg_get_constraintdef(oid) AS bounds FROM pg_constraint WHERE conname = 'run_audit_maintain_again' \gset
ALTER TABLE steward.audit_events_default DROP CONSTRAINT run_audit_maintain_again;
CALL public.past(now() - '2020-02-24', 'behind it');
CALL public.past(now() - '2018-02-24', 'long before it');
ALTER TABLE steward.audit_events_default ADD CONSTRAINT run_audit_maintain_again :bounds;
SELECT DISTINCT action FROM public.maintain() ORDER BY 1;
SELECT DISTINCT action FROM public.maintain() ORDER BY 1;
SELECT DISTINCT action FROM public.maintain() ORDER BY 1;
SELECT a, place, count(*) FROM public.places GROUP BY a, place ORDER BY a COLLATE "C";
SELECT shape, sum(partitions) > 1 AS several, sum(events) > 0 AS events FROM public.shapes GROUP BY shape ORDER BY shape;
-- one that is dropped as a whole, later
SET steward.audit_retention = '1 year';
SELECT action, count(*) FROM public.maintain() GROUP BY action;
RESET steward.audit_retention;
-- another default partition is made like the first
CALL public.drop_partitions();
SET steward.audit_guard = off;
ALTER EXTENSION pg_steward DROP TABLE steward.audit_events_default;
DROP TABLE steward.audit_events_default;
RESET steward.audit_guard;
SELECT count(*) > 0 AS maintained FROM public.maintain();
SELECT public.portrait('steward.audit_events_default') = :'default_portrait' AS same, (SELECT array_length(extconfig, 1) FROM pg_extension WHERE extname = 'pg_steward') = :dumped AS dumped;
REVOKE SELECT ON steward.audit_events FROM regress_audit_keeper;
SELECT count(*) AS maintained FROM public.maintain();
SELECT count(*) AS granted FROM steward.audit_partitions p WHERE has_table_privilege('regress_audit_keeper', p.relation_id, 'SELECT');

--
-- Who may ask for it
--

GRANT USAGE ON SCHEMA public TO PUBLIC;
SET ROLE regress_audit_keeper;
SELECT * FROM steward.audit_maintain();
RESET ROLE;
GRANT EXECUTE ON FUNCTION steward.audit_maintain() TO regress_audit_keeper;
-- in sessions that have not met the library yet
\c -
SET client_min_messages = error;
SET SESSION AUTHORIZATION regress_audit_keeper;
SELECT count(*) >= 0 AS maintained FROM steward.audit_maintain();
SHOW steward.audit_guard;
SELECT count(*) FROM steward.audit_events;
SET steward.audit_retention = '1min';
SELECT steward_internal.audit_lock('steward.audit_events', 'ACCESS EXCLUSIVE');
RESET SESSION AUTHORIZATION;
\c -
SET client_min_messages = error;
CALL public.past('400 days', 'a year ago');
SELECT count(*) >= 1 AS maintained FROM steward.audit_maintain();
SHOW steward.audit_guard;
CREATE ROLE regress_audit_maintain_super SUPERUSER;
SET SESSION AUTHORIZATION regress_audit_maintain_super;
DELETE FROM steward.audit_events_default;
RESET SESSION AUTHORIZATION;
-- what is set for the database holds
ALTER DATABASE regress_audit_maintain SET steward.audit_retention = '100d';
\c -
SET client_min_messages = error;
SELECT DISTINCT action FROM public.maintain() WHERE action <> 'created' ORDER BY 1;
SELECT count(*) FROM steward.audit_events WHERE recorded_at < now() - interval '131 days';

--
-- Partitions that somebody took away or brought
--

CALL public.drop_partitions();
SELECT count(*) > 0 AS maintained FROM steward.audit_maintain();
SELECT qualified_name AS present FROM steward.audit_partitions WHERE lower_bound <= now() AND now() < upper_bound \gset
ALTER TABLE steward.audit_events DETACH PARTITION :present;
INSERT INTO public.t (a) VALUES ('detached');
SELECT place FROM public.places WHERE a = 'detached';
-- its name is taken; upkeep goes on
SELECT count(*) > 0 AS maintained FROM steward.audit_maintain();
INSERT INTO public.t (a) VALUES ('another one');
SELECT a, place FROM public.places WHERE a IN ('detached', 'another one') ORDER BY a;
CALL public.drop_partitions();
SET steward.audit_guard = off;
ALTER TABLE steward.audit_events DETACH PARTITION steward.audit_events_default;
ALTER TABLE steward.audit_events_default RENAME TO audit_events_default_away;
RESET steward.audit_guard;
-- none is left: the hint works
DO $$
DECLARE
    hint text;
BEGIN
    INSERT INTO public.t (a) VALUES ('no partition');
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE INFO '%', hint;
    EXECUTE substring(hint from '[Rr]un: (.*)$');
END $$;
INSERT INTO public.t (a) VALUES ('new default');
SELECT place FROM public.places WHERE a = 'new default';
SELECT bool_and(EXISTS (SELECT FROM pg_index WHERE indrelid = relation_id)) AS indexed,
       bool_and(EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation_id AND tgname = 'steward_guard' AND tgenabled = 'A')) AS guarded
  FROM steward.audit_partitions;
-- one with other columns
SELECT qualified_name AS present FROM steward.audit_partitions WHERE lower_bound <= now() AND now() < upper_bound \gset
SET steward.audit_guard = off;
DROP TABLE :present;
RESET steward.audit_guard;
CREATE TABLE public.odd (seq integer NOT NULL, recorded_at timestamptz NOT NULL, transaction_id xid8 NOT NULL, context_id bigint NOT NULL, table_id bigint NOT NULL, key_hash bigint, tenant_id text COLLATE "C", old_key_hash bigint,
    operation "char" NOT NULL, record_key jsonb, old_values jsonb, new_values jsonb);
SET TimeZone = 'UTC';
SELECT date_trunc('month', now()) AS lower, date_trunc('month', now()) + interval '1 month' AS upper \gset
ALTER TABLE steward.audit_events ATTACH PARTITION public.odd FOR VALUES FROM (:'lower') TO (:'upper');
RESET TimeZone;
INSERT INTO public.t (a) VALUES ('odd');
ALTER TABLE steward.audit_events DETACH PARTITION public.odd;
INSERT INTO public.t (a) VALUES ('even');
SELECT a, place FROM public.places WHERE a IN ('odd', 'even');

\c :regression
DROP DATABASE regress_audit_maintain;
DROP ROLE regress_audit_keeper, regress_audit_maintain_super;
