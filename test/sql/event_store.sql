-- The event store of the append_only page: streams of events, appended by expected version, replayed as a fold.
\set SHOW_CONTEXT never

CREATE TABLE events (
    id             uuid        PRIMARY KEY DEFAULT steward.uuidv7(),
    aggregate_type text        NOT NULL,
    aggregate_id   uuid        NOT NULL,
    version        integer     NOT NULL CHECK (version > 0),
    event_type     text        NOT NULL,
    event_data     jsonb       NOT NULL,
    metadata       jsonb       NOT NULL DEFAULT '{}',
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (aggregate_id, version)
);
SELECT steward.append_only_enable('events');

CREATE FUNCTION append_event(type text, aggregate uuid, expected integer, event text, data jsonb) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    latest constant integer := coalesce((SELECT max(version) FROM events WHERE aggregate_id = aggregate), 0);
BEGIN
    IF expected IS DISTINCT FROM latest THEN
        RAISE serialization_failure USING
            MESSAGE = format('%s %s is at version %s, not %s', type, aggregate, latest, expected),
            HINT = 'Replay its events and decide again.';
    END IF;
    INSERT INTO events (aggregate_type, aggregate_id, version, event_type, event_data)
    VALUES (type, aggregate, expected + 1, event, data);
    RETURN expected + 1;
END $$;

SELECT append_event('order', '123e4567-e89b-12d3-a456-426614174000', 0, 'created', '{"customer_id": 1, "total": 99.99}');
SELECT append_event('order', '123e4567-e89b-12d3-a456-426614174000', 1, 'shipped', '{"tracking_number": "ABC123"}');

CREATE FUNCTION order_apply(state jsonb, event text, data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE event
           WHEN 'snapshot' THEN data
           WHEN 'created' THEN data || '{"status": "pending"}'
           WHEN 'shipped' THEN state || data || '{"status": "shipped"}'
           WHEN 'cancelled' THEN state || '{"status": "cancelled"}'
           ELSE state
       END;
CREATE AGGREGATE order_state(event text, data jsonb) (SFUNC = order_apply, STYPE = jsonb);

SELECT max(version) AS version, order_state(event_type, event_data ORDER BY version) AS state
  FROM events
 WHERE aggregate_id = '123e4567-e89b-12d3-a456-426614174000';
-- what was
SELECT max(version) AS version, order_state(event_type, event_data ORDER BY version) AS state
  FROM events
 WHERE aggregate_id = '123e4567-e89b-12d3-a456-426614174000' AND version <= 1;

CREATE TABLE snapshots (
    aggregate_id uuid    PRIMARY KEY,
    version      integer NOT NULL,
    state        jsonb   NOT NULL
);
CREATE FUNCTION order_replay(aggregate uuid, OUT version integer, OUT state jsonb)
LANGUAGE sql STABLE AS $$
    WITH snapshot AS (SELECT s.version, s.state FROM snapshots s WHERE s.aggregate_id = aggregate)
    SELECT max(e.version), order_state(e.event_type, e.event_data ORDER BY e.version)
      FROM (SELECT s.version, 'snapshot' AS event_type, s.state AS event_data FROM snapshot s
             UNION ALL
            SELECT e.version, e.event_type, e.event_data FROM events e
             WHERE e.aggregate_id = aggregate AND e.version > coalesce((SELECT s.version FROM snapshot s), 0)) e
$$;

INSERT INTO snapshots
SELECT aggregate, r.version, r.state
  FROM CAST('123e4567-e89b-12d3-a456-426614174000' AS uuid) aggregate, order_replay(aggregate) r
    ON CONFLICT (aggregate_id) DO UPDATE SET version = excluded.version, state = excluded.state
 WHERE snapshots.version < excluded.version;
SELECT version, state FROM snapshots;

--
-- Errors
--

-- the loser: at a version that has passed, and at one that is to come
SELECT append_event('order', '123e4567-e89b-12d3-a456-426614174000', 1, 'cancelled', '{}');
SELECT append_event('order', '123e4567-e89b-12d3-a456-426614174000', 7, 'cancelled', '{}');
SELECT append_event('order', '123e4567-e89b-12d3-a456-426614174001', 1, 'shipped', '{}');
SELECT append_event('order', '123e4567-e89b-12d3-a456-426614174000', NULL, 'cancelled', '{}');
-- without the function, the constraint alone decides
INSERT INTO events (aggregate_type, aggregate_id, version, event_type, event_data) VALUES ('order', '123e4567-e89b-12d3-a456-426614174000', 2, 'cancelled', '{}');
\set VERBOSITY terse
INSERT INTO events (aggregate_type, aggregate_id, version, event_type, event_data) VALUES ('order', '123e4567-e89b-12d3-a456-426614174001', 0, 'created', '{}');
\set VERBOSITY default
-- what happened has happened
UPDATE events SET event_data = '{}';
DELETE FROM events WHERE version = 2;
TRUNCATE events;
INSERT INTO events (aggregate_type, aggregate_id, version, event_type, event_data) VALUES ('order', '123e4567-e89b-12d3-a456-426614174000', 2, 'cancelled', '{}')
    ON CONFLICT (aggregate_id, version) DO UPDATE SET event_type = excluded.event_type;
SELECT count(*), count(DISTINCT id), bool_and(id > lag) AS ids_grow FROM (SELECT id, lag(id) OVER (ORDER BY version) AS lag FROM events) e;

--
-- Snapshots are a cache: with any of them, or none, the state is the same
--

SELECT append_event('order', '123e4567-e89b-12d3-a456-426614174000', 2, 'noted', '{"note": "call first"}');
SELECT append_event('order', '123e4567-e89b-12d3-a456-426614174000', 3, 'cancelled', '{"by": "customer"}');
CREATE TEMP TABLE replays AS SELECT 'snapshot at 2' AS from_where, r.* FROM order_replay('123e4567-e89b-12d3-a456-426614174000') r;
INSERT INTO snapshots
SELECT aggregate, r.version, r.state
  FROM CAST('123e4567-e89b-12d3-a456-426614174000' AS uuid) aggregate, order_replay(aggregate) r
    ON CONFLICT (aggregate_id) DO UPDATE SET version = excluded.version, state = excluded.state
 WHERE snapshots.version < excluded.version;
INSERT INTO replays SELECT 'snapshot at 4', r.* FROM order_replay('123e4567-e89b-12d3-a456-426614174000') r;
DELETE FROM snapshots;
INSERT INTO replays SELECT 'no snapshot', r.* FROM order_replay('123e4567-e89b-12d3-a456-426614174000') r;
SELECT * FROM replays;
SELECT * FROM order_replay('00000000-0000-0000-0000-000000000000');
-- an older snapshot does not replace a newer one
INSERT INTO snapshots SELECT '123e4567-e89b-12d3-a456-426614174000', r.version, r.state FROM order_replay('123e4567-e89b-12d3-a456-426614174000') r;
INSERT INTO snapshots VALUES ('123e4567-e89b-12d3-a456-426614174000', 1, '{}')
    ON CONFLICT (aggregate_id) DO UPDATE SET version = excluded.version, state = excluded.state
 WHERE snapshots.version < excluded.version;
SELECT version FROM snapshots;
-- many aggregates at once
SELECT count(*) AS appended
  FROM generate_series(1, 100) a, LATERAL (SELECT md5(a::text)::uuid AS aggregate) u,
       LATERAL (SELECT append_event('order', aggregate, 0, 'created', jsonb_build_object('total', a)) AS one) o,
       LATERAL (SELECT CASE WHEN a % 2 = 0 THEN append_event('order', aggregate, one, 'shipped', '{}') END AS two) p;
SELECT state ->> 'status' AS status, count(*) FROM (SELECT order_state(event_type, event_data ORDER BY version) AS state FROM events GROUP BY aggregate_id) s GROUP BY 1 ORDER BY 1;

--
-- Partitioned by hash, as seed 001 has it: the constraint holds over all of them
--

CREATE TABLE event_stream (LIKE events INCLUDING DEFAULTS, UNIQUE (aggregate_id, version)) PARTITION BY HASH (aggregate_id);
CREATE TABLE event_stream_0 PARTITION OF event_stream FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE event_stream_1 PARTITION OF event_stream FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT count(*) FROM steward.append_only_enable('event_stream');
INSERT INTO event_stream SELECT * FROM events;
SELECT count(DISTINCT tableoid) AS partitions, count(*) AS events FROM event_stream;
INSERT INTO event_stream SELECT * FROM events LIMIT 1;
UPDATE event_stream SET version = version + 1;
DELETE FROM event_stream_1;
TRUNCATE event_stream_0;
-- roles: one that appends, and one that may clear it out
CREATE ROLE regress_event_writer;
CREATE ROLE regress_event_archivist;
GRANT SELECT, INSERT ON events TO regress_event_writer;
GRANT SELECT, DELETE ON events TO regress_event_archivist;
SELECT count(*) FROM steward.append_only_enable('events', '{regress_event_archivist}');
SET ROLE regress_event_writer;
SELECT append_event('order', '123e4567-e89b-12d3-a456-426614174000', 4, 'noted', '{}');
DELETE FROM events;
SET ROLE regress_event_archivist;
DELETE FROM events WHERE aggregate_id = '123e4567-e89b-12d3-a456-426614174000';
RESET ROLE;
SELECT * FROM order_replay('123e4567-e89b-12d3-a456-426614174000');

SET client_min_messages = error;
DROP FUNCTION append_event, order_replay;
DROP TABLE events, snapshots, event_stream;
DROP AGGREGATE order_state(text, jsonb);
DROP FUNCTION order_apply;
DROP ROLE regress_event_writer, regress_event_archivist;
