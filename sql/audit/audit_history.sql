-- audit_history: the history of one row, through every change of its key and of its table.

CREATE TYPE steward_internal.audit_key AS (
    table_id    bigint,
    depth       integer,      -- 0: the table itself, more: what it came from
    known_since timestamptz,
    known_until timestamptz,
    key_columns jsonb         -- as in audit_tables, with a "place" that a column keeps whatever its name and table
);
COMMENT ON TYPE steward_internal.audit_key IS
'A key that the rows of a table had, and when.';

CREATE FUNCTION steward_internal.audit_lineage(relation regclass, OUT table_id bigint, OUT successor bigint, OUT depth integer, OUT until timestamptz) RETURNS SETOF record
LANGUAGE sql STABLE STRICT ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE own AS MATERIALIZED (
        SELECT i.relid, steward_internal.audit_table_id(i.relid) AS table_id FROM steward_internal.audit_identity(relation) AS i(relid)
    ), called AS MATERIALIZED (
        SELECT t.table_id, t.table_id >> 32 AS database, t.relation_id, t.table_schema, t.table_name,
               min(t.known_since) AS since, max(t.known_since) AS latest,
               min(min(t.known_since)) OVER this AS first_met, max(max(t.known_since)) OVER this AS last_met
          FROM steward.audit_tables t
         GROUP BY t.table_id, t.relation_id, t.table_schema, t.table_name
        WINDOW this AS (PARTITION BY t.table_id)
         UNION ALL
        -- the log has not met the table yet
        SELECT o.table_id, o.table_id >> 32, c.oid, n.nspname, c.relname, 'infinity', 'infinity', 'infinity', 'infinity'
          FROM own o
          JOIN pg_class c ON c.oid = o.relid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE NOT EXISTS (SELECT FROM steward.audit_tables t WHERE t.table_id = o.table_id)
    ), line AS (
        SELECT o.table_id, NULL::bigint AS successor, 0 AS depth, 'infinity'::timestamptz AS until FROM own o
         UNION
        -- where rows are identified by partition, and where a partition was a table of its own
        SELECT steward_internal.audit_table_id(p.relid), o.table_id, 1, 'infinity'
          FROM own o
         CROSS JOIN (SELECT relation AS relid UNION SELECT t.relid FROM pg_partition_tree(relation) t) p
         WHERE p.relid <> o.relid
         UNION
        SELECT p.table_id, l.table_id, l.depth + 1, p.until
          FROM line l
         CROSS JOIN LATERAL (
               -- what had a name of the table before: in the database that this one was restored or
               -- cloned from, or a table that was dropped
               SELECT earlier.table_id, l.until
                 FROM called later
                 JOIN called earlier ON (earlier.table_schema, earlier.table_name) = (later.table_schema, later.table_name)
                                    AND earlier.latest = earlier.last_met
                                    -- that of a database whose log is replicated into this one may be as young as the table
                                    AND (earlier.first_met < later.first_met OR l.depth = 0 AND earlier.database <> later.database)
                WHERE later.table_id = l.table_id
                  AND (earlier.database <> (SELECT o.table_id >> 32 FROM own o)
                       OR earlier.last_met < later.since AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = earlier.relation_id))
                  -- another table took the name over before
                  AND NOT EXISTS (SELECT FROM called other
                                   WHERE other.database = later.database AND (other.table_schema, other.table_name) = (later.table_schema, later.table_name)
                                     AND other.table_id <> later.table_id AND other.since > earlier.last_met AND other.since < later.since)
                UNION ALL
               -- what the table was a partition of
               SELECT t.detached_from, t.known_since
                 FROM steward.audit_tables t
                WHERE t.table_id = l.table_id AND t.detached_from IS NOT NULL AND t.known_since < l.until) p
    )
    SELECT l.table_id, l.successor, l.depth, l.until FROM line l;
END;
COMMENT ON FUNCTION steward_internal.audit_lineage(regclass) IS
'Returns all ids under which the audit log knows a table, each with the one that came after it and how long its rows count: its own, those of its partitions, of tables of its name that are gone or were in another database, and of the table that it was a partition of.';

CREATE FUNCTION steward_internal.audit_table_ids(relation regclass) RETURNS SETOF bigint
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- which rows of the table that it was a partition of were its own, nothing tells
    SELECT DISTINCT l.table_id FROM steward_internal.audit_lineage(relation) l WHERE l.until = 'infinity';
END;
COMMENT ON FUNCTION steward_internal.audit_table_ids(regclass) IS
'Returns all ids under which the audit log knows a table.';

CREATE FUNCTION steward_internal.audit_keys(relation regclass) RETURNS SETOF steward_internal.audit_key
LANGUAGE sql STABLE STRICT ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE line AS MATERIALIZED (
        SELECT l.table_id, l.successor, l.depth, l.until FROM steward_internal.audit_lineage(relation) l
    ), member AS MATERIALIZED (
        SELECT l.table_id, min(l.depth) AS depth, max(l.until) AS until FROM line l GROUP BY l.table_id
    ), present AS MATERIALIZED (
        SELECT a.attnum, CASE WHEN NOT a.attisdropped THEN a.attname END AS name
          FROM pg_attribute a
         WHERE a.attrelid = steward_internal.audit_identity(relation) AND a.attnum > 0
    ), partition AS MATERIALIZED (
        SELECT steward_internal.audit_table_id(t.relid) AS table_id, a.attnum, p.attnum AS place
          FROM pg_partition_tree(steward_internal.audit_identity(relation)) t
          JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum > 0 AND NOT a.attisdropped
          JOIN present p ON p.name = a.attname
         WHERE t.level > 0
    ), named AS MATERIALIZED (
        SELECT t.table_id, c.attnum, (array_agg(c.name ORDER BY t.known_since))[1] AS first_name, (array_agg(c.name ORDER BY t.known_since DESC))[1] AS last_name,
               array_agg(c.name) AS names
          FROM steward.audit_tables t
          JOIN member m ON m.table_id = t.table_id AND t.known_since < m.until
         CROSS JOIN LATERAL jsonb_to_recordset(t.key_columns) AS c(attnum smallint, name name)
         GROUP BY t.table_id, c.attnum
    ), placed AS (
        SELECT l.table_id, p.attnum, p.attnum AS place FROM line l CROSS JOIN present p WHERE l.successor IS NULL
         UNION
        SELECT p.table_id, p.attnum, p.place FROM partition p
         UNION
        -- from one table to the next, columns are known by the name they had then
        SELECT l.table_id, n.attnum, c.place
          FROM placed c
          JOIN line l ON l.successor = c.table_id
          JOIN named n ON n.table_id = l.table_id
          LEFT JOIN named k ON k.table_id = c.table_id AND k.attnum = c.attnum
         WHERE n.last_name = coalesce(k.first_name, (SELECT p.name FROM present p WHERE p.attnum = c.place))
            OR n.last_name = ANY (k.names) AND NOT EXISTS (SELECT FROM named f WHERE f.table_id = c.table_id AND f.first_name = n.last_name)
    )
    SELECT t.table_id, m.depth, t.known_since, least(t.known_until, m.until),
           coalesce((SELECT jsonb_agg(c.key_column || jsonb_build_object('place', coalesce(p.place::text, t.table_id || '.' || (c.key_column ->> 'attnum'))) ORDER BY c.n)
                       FROM jsonb_array_elements(t.key_columns) WITH ORDINALITY c(key_column, n)
                       LEFT JOIN LATERAL (SELECT min(p.place) AS place FROM placed p
                                           WHERE p.table_id = t.table_id AND p.attnum = (c.key_column ->> 'attnum')::smallint) p ON true), '[]')
      FROM steward.audit_table_names t
      JOIN member m ON m.table_id = t.table_id AND t.known_since < m.until
     ORDER BY m.depth, t.known_since DESC, t.table_id;
END;
COMMENT ON FUNCTION steward_internal.audit_keys(regclass) IS
'Returns the keys that the rows of a table had, the latest first, with their columns told apart across names and tables.';

-- What is known of a row's key is a jsonb object: for each place of a column the value
-- as the log has it, its type and whether it is redacted; "text" has what was asked for.
-- A row without a key has "row", its hash as the log has it.
CREATE FUNCTION steward_internal.audit_key_state(key_columns jsonb, record_key jsonb, texts text[] DEFAULT NULL) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN key_columns = '[]' THEN jsonb_build_object('row', record_key)
                ELSE (SELECT jsonb_object_agg(c.key_column ->> 'place',
                                              c.key_column || jsonb_build_object('value', record_key -> (c.key_column ->> 'name'), 'text', texts[c.n]))
                        FROM jsonb_array_elements(key_columns) WITH ORDINALITY c(key_column, n)) END;
END;
COMMENT ON FUNCTION steward_internal.audit_key_state(jsonb, jsonb, text[]) IS
'Returns what a key that the audit log wrote says of a row, by the places of its columns.';

CREATE FUNCTION steward_internal.audit_past_key(key_columns jsonb, state jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    past record;
    known jsonb;
    value_text text;
    record_key jsonb := '{}';
BEGIN
    IF key_columns = '[]' THEN
        RETURN state -> 'row';
    END IF;
    FOR past IN SELECT * FROM jsonb_to_recordset(key_columns) AS c(place text, name text, type text, redacted boolean) LOOP
        known := state -> past.place;
        value_text := CASE WHEN known -> 'redacted' = 'false' THEN known ->> 'value' ELSE known ->> 'text' END;
        IF (known ->> 'redacted')::boolean = past.redacted AND (past.redacted OR known ->> 'type' = past.type) THEN
            record_key := record_key || jsonb_build_object(past.name, known -> 'value');
        ELSIF value_text IS NULL THEN
            RETURN NULL;
        ELSE
            BEGIN
                record_key := record_key || steward_internal.audit_key_value(past.name, value_text, past.type, past.redacted);
            EXCEPTION
                -- a type that is gone: most such values are strings in the log
                WHEN undefined_object OR invalid_schema_name THEN
                    record_key := record_key || jsonb_build_object(past.name, value_text);
                -- the column cannot have had this value
                WHEN OTHERS THEN
                    RETURN NULL;
            END;
        END IF;
    END LOOP;
    RETURN record_key;
END $$;
COMMENT ON FUNCTION steward_internal.audit_past_key(jsonb, jsonb) IS
'Returns the key that the audit log wrote of a row while its key had these columns; null if that cannot be known.';

CREATE TYPE steward_internal.audit_span AS (
    table_id   bigint,
    key_hash   bigint,
    record_key jsonb,
    since      timestamptz,
    since_seq  integer,
    until      timestamptz,
    until_seq  integer,       -- before this event
    one_row    boolean        -- but for the first, what came to the key is another row
);
COMMENT ON TYPE steward_internal.audit_span IS
'A stretch of the audit log in which a row had a key.';

CREATE FUNCTION steward_internal.audit_old_key(past steward_internal.audit_key, event steward.audit_events) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.audit_key_state((past).key_columns,
               -- as it was written while the row had it; or else old_values has it, if there was any
               coalesce((SELECT e.record_key
                           FROM steward.audit_events e
                          WHERE e.table_id = (event).table_id AND e.key_hash = (event).old_key_hash
                            AND e.recorded_at >= (past).known_since AND e.recorded_at <= (event).recorded_at
                          ORDER BY e.recorded_at DESC, e.seq DESC
                          LIMIT 1),
                        CASE WHEN (past).key_columns <> '[]' THEN
                            (SELECT jsonb_object_agg(k.name, coalesce((event).old_values -> k.name, k.value))
                               FROM jsonb_each((event).record_key) AS k(name, value)) END));
END;
COMMENT ON FUNCTION steward_internal.audit_old_key(steward_internal.audit_key, steward.audit_events) IS
'Returns what is known of the key that a row had before an event that changed it.';

CREATE FUNCTION steward_internal.audit_present_value(relation regclass, state jsonb, place text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted constant name := (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum::text = place AND NOT a.attisdropped);
    condition constant text := (
        SELECT string_agg(format('t.%I = %L', a.attname, s.value ->> 'text'), ' AND ')
          FROM jsonb_each(state) s
          JOIN pg_attribute a ON a.attrelid = relation AND a.attnum::text = s.key AND NOT a.attisdropped);
    found text;
BEGIN
    -- an earlier value of what is not recorded would not be seen
    IF wanted IS NULL OR condition IS NULL
       OR EXISTS (SELECT FROM steward_internal.audit_triggers t
                   WHERE t.relation_id = relation
                     AND (steward_internal.audit_option_values(t.arguments, 'capture') = '{key}'
                          OR wanted = ANY (steward_internal.audit_option_values(t.arguments, 'exclude'))
                          OR wanted <> ALL (nullif(steward_internal.audit_option_values(t.arguments, 'include'), '{}')))) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT t.%I::text FROM %s t WHERE %s', wanted, relation, condition) INTO found;
    RETURN found;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION steward_internal.audit_present_value(regclass, jsonb, text) IS
'Returns the value that a column has now in the row of a key; null if the row is gone, the role may not read it, or the log may not know of its changes.';

CREATE FUNCTION steward_internal.audit_complete(
    relation regclass, past steward_internal.audit_key, state jsonb, origin jsonb, spans steward_internal.audit_span[], is_present boolean)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing record;
    found jsonb;
BEGIN
    FOR missing IN SELECT * FROM jsonb_to_recordset(past.key_columns) AS c(place text, name text, type text, redacted boolean) LOOP
        CONTINUE WHEN state ? missing.place;
        SELECT jsonb_build_object('type', missing.type, 'redacted', missing.redacted, 'value', e.old_values -> n.name) INTO found
          FROM unnest(spans) s
          JOIN steward.audit_events e ON e.table_id = s.table_id AND e.key_hash = s.key_hash AND e.record_key = s.record_key
          JOIN (SELECT missing.name
                 UNION
                SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum::text = missing.place) n ON e.old_values ? n.name
         WHERE (e.recorded_at, e.seq) >= (s.since, s.since_seq) AND (e.recorded_at, e.seq) < (s.until, s.until_seq)
         ORDER BY e.recorded_at, e.seq
         LIMIT 1;
        IF found IS NULL AND is_present THEN
            found := jsonb_build_object('redacted', false, 'value', steward_internal.audit_present_value(relation, origin, missing.place));
        END IF;
        IF found ->> 'value' IS NULL THEN
            RETURN state;
        END IF;
        state := state || jsonb_build_object(missing.place, found);
    END LOOP;
    RETURN state;
END $$;
COMMENT ON FUNCTION steward_internal.audit_complete(regclass, steward_internal.audit_key, jsonb, jsonb, steward_internal.audit_span[], boolean) IS
'Adds to what is known of a row the columns of an earlier key: from what changed or deleted them later, or from the row.';

CREATE FUNCTION steward_internal.audit_arrival(past steward_internal.audit_key, span steward_internal.audit_span, until timestamptz, until_seq integer)
RETURNS steward.audit_events
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.*
      FROM steward.audit_events e
     WHERE e.table_id = (span).table_id AND e.key_hash = (span).key_hash AND e.record_key = (span).record_key
       AND e.recorded_at >= (past).known_since AND e.recorded_at < (past).known_until AND (e.recorded_at, e.seq) < (until, until_seq)
       AND (e.operation = 'I' OR e.old_key_hash IS NOT NULL)
     ORDER BY e.recorded_at DESC, e.seq DESC
     LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.audit_arrival(steward_internal.audit_key, steward_internal.audit_span, timestamptz, integer) IS
'Returns the last event before another one that brought a row to a key.';

CREATE FUNCTION steward_internal.audit_trace_back(
    relation regclass, keys steward_internal.audit_key[], state jsonb, origin jsonb,
    until timestamptz, until_seq integer, until_transaction xid8)
RETURNS SETOF steward_internal.audit_span
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_present constant boolean := until = 'infinity';
    place integer := 1;
    past steward_internal.audit_key;
    span steward_internal.audit_span;
    spans steward_internal.audit_span[] := '{}';
    arrival steward.audit_events;
    previous steward.audit_events;
BEGIN
    span.one_row := true;
    WHILE place <= cardinality(keys) LOOP
        past := keys[place];
        IF past.known_since > until THEN
            place := place + 1;
            CONTINUE;
        END IF;
        span.record_key := steward_internal.audit_past_key(past.key_columns, state);
        IF span.record_key IS NULL THEN
            state := steward_internal.audit_complete(relation, past, state, origin, spans, is_present);
            span.record_key := steward_internal.audit_past_key(past.key_columns, state);
        END IF;
        IF span.record_key IS NULL THEN
            place := place + 1;
            CONTINUE;
        END IF;
        EXIT WHEN NOT is_present AND span.record_key = steward_internal.audit_past_key(past.key_columns, origin);

        span.table_id := past.table_id;
        span.key_hash := steward_internal.audit_key_hash(past.table_id, span.record_key);
        -- how the row came to this key
        arrival := steward_internal.audit_arrival(past, span, until, until_seq);
        -- Under a deferred constraint, the row that leaves is not the one that came last.
        WHILE arrival.transaction_id = until_transaction LOOP
            SELECT e.* INTO previous
              FROM steward.audit_events e
             WHERE e.table_id = span.table_id AND (e.key_hash = span.key_hash OR e.old_key_hash = span.key_hash)
               AND (e.recorded_at, e.seq) < (arrival.recorded_at, arrival.seq)
             ORDER BY e.recorded_at DESC, e.seq DESC
             LIMIT 1;
            EXIT WHEN previous.operation IS NULL OR previous.operation = 'D' OR previous.key_hash <> span.key_hash;
            arrival := steward_internal.audit_arrival(past, span, arrival.recorded_at, arrival.seq);
        END LOOP;
        span.since := coalesce(arrival.recorded_at, past.known_since);
        span.since_seq := coalesce(arrival.seq, 0);
        span.until := least(until, past.known_until);
        span.until_seq := CASE WHEN span.until = until THEN until_seq ELSE 0 END;
        spans := spans || span;
        RETURN NEXT span;
        IF arrival.recorded_at IS NULL THEN
            place := place + 1;
        ELSIF arrival.old_key_hash IS NULL THEN
            RETURN;
        ELSE
            state := state || steward_internal.audit_old_key(past, arrival);
            until := arrival.recorded_at;
            until_seq := arrival.seq;
            until_transaction := arrival.transaction_id;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.audit_trace_back(regclass, steward_internal.audit_key[], jsonb, jsonb, timestamptz, integer, xid8) IS
'Returns where in the audit log a row stands that had a key until an event: from then back to its INSERT under each key, or to when it had the key "origin".';

CREATE FUNCTION steward_internal.audit_trace(relation regclass, record_key jsonb, texts text[])
RETURNS SETOF steward_internal.audit_span
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    identity constant regclass := steward_internal.audit_identity(relation);
    keys constant steward_internal.audit_key[] := ARRAY(SELECT k FROM steward_internal.audit_keys(relation) k);
    state constant jsonb := steward_internal.audit_key_state(
        (SELECT coalesce(jsonb_agg(c.key_column || jsonb_build_object('place', c.key_column ->> 'attnum') ORDER BY c.n), '[]')
           FROM jsonb_array_elements(steward_internal.audit_key_columns(relation)) WITH ORDINALITY c(key_column, n)), record_key, texts);
    past steward_internal.audit_key;
    span steward_internal.audit_span;
    arrival steward.audit_events;
    some_lost boolean := false;
BEGIN
    FOREACH past IN ARRAY keys LOOP
        -- whatever happened to rows of this key
        span.record_key := steward_internal.audit_past_key(past.key_columns, state);
        IF span.record_key IS NULL THEN
            some_lost := true;
            CONTINUE;
        END IF;
        span.table_id := past.table_id;
        span.key_hash := steward_internal.audit_key_hash(past.table_id, span.record_key);
        span.since := past.known_since;
        span.since_seq := 0;
        span.until := past.known_until;
        span.until_seq := 0;
        span.one_row := false;
        RETURN NEXT span;

        -- and to those that came to it from another key, before they did
        FOR arrival IN
            SELECT e.*
              FROM steward.audit_events e
             WHERE e.table_id = span.table_id AND e.key_hash = span.key_hash AND e.record_key = span.record_key
               AND e.recorded_at >= span.since AND e.recorded_at < span.until AND e.old_key_hash IS NOT NULL
        LOOP
            RETURN QUERY SELECT * FROM steward_internal.audit_trace_back(
                identity, keys, state || steward_internal.audit_old_key(past, arrival), state, arrival.recorded_at, arrival.seq, arrival.transaction_id);
        END LOOP;
    END LOOP;

    -- the key had other columns once: those of the row that has it now can be found
    IF some_lost THEN
        RETURN QUERY SELECT * FROM steward_internal.audit_trace_back(identity, keys, state, state, 'infinity', 0, NULL);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.audit_trace(regclass, jsonb, text[]) IS
'Returns where in the audit log the rows of a key stand: under that key, however it was called, and under those they had before.';

CREATE FUNCTION steward_internal.audit_tell_gap(relation regclass, spans steward_internal.audit_span[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present constant jsonb := steward_internal.audit_key_columns(relation);
    first_event steward.audit_events;
    is_born boolean;
    gap record;
BEGIN
    SELECT e.* INTO first_event
      FROM unnest(spans) s
      JOIN steward.audit_events e ON e.table_id = s.table_id AND e.key_hash = s.key_hash AND e.record_key = s.record_key
     WHERE (e.recorded_at, e.seq) >= (s.since, s.since_seq) AND (e.recorded_at, e.seq) < (s.until, s.until_seq)
     ORDER BY e.recorded_at, e.seq
     LIMIT 1;
    is_born := first_event.operation IS NOT DISTINCT FROM 'I' AND first_event.old_key_hash IS NULL;

    -- the latest key with other columns, or values of another form, of which nothing was found
    SELECT k.table_id, k.known_until,
           coalesce((SELECT string_agg(format('%I %s', c.name, c.type), ', ') FROM jsonb_to_recordset(k.key_columns) AS c(name text, type text)),
                    'a hash of the row') AS columns INTO gap
      FROM steward_internal.audit_keys(relation) k
     WHERE (SELECT array_agg((c.place, c.type, c.redacted) ORDER BY c.place)
              FROM jsonb_to_recordset(k.key_columns) AS c(place text, type text, redacted boolean))
           IS DISTINCT FROM
           (SELECT array_agg((c.attnum, c.type, c.redacted) ORDER BY c.attnum) FROM jsonb_to_recordset(present) AS c(attnum text, type text, redacted boolean))
       AND CASE WHEN k.known_until <= first_event.recorded_at OR k.table_id IS DISTINCT FROM first_event.table_id THEN NOT is_born
                ELSE NOT EXISTS (SELECT FROM unnest(spans) s WHERE s.table_id = k.table_id AND s.until > k.known_since AND s.since < k.known_until) END
     LIMIT 1;
    IF gap IS NOT NULL THEN
        RAISE NOTICE USING
            MESSAGE = format('the history of this row of %s may not be whole', relation),
            DETAIL = format('Until %s rows were identified by (%s), and nothing says which of them this one was.', gap.known_until, gap.columns),
            HINT = format('To search there: SELECT * FROM steward.audit_entries WHERE table_id = %s AND created_at < %L;', gap.table_id, gap.known_until);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.audit_tell_gap(regclass, steward_internal.audit_span[]) IS
'Says so if the history of a row may reach back to a key under which it cannot be found.';

CREATE FUNCTION steward_internal.audit_key_texts(relation regclass, key text[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN cardinality(key) = 1 AND key[array_lower(key, 1)] ~ '^\s*\{' AND jsonb_array_length(c.columns) > 1
                THEN ARRAY(SELECT key[array_lower(key, 1)]::jsonb ->> (k.key_column ->> 'name')
                             FROM jsonb_array_elements(c.columns) WITH ORDINALITY k(key_column, place) ORDER BY k.place)
                ELSE key END
      FROM (SELECT steward_internal.audit_key_columns(relation) AS columns) c;
END;
COMMENT ON FUNCTION steward_internal.audit_key_texts(regclass, text[]) IS
'Returns the values of a primary key in its order, also where they were given as one JSON object of several columns.';

CREATE FUNCTION steward.audit_history(relation regclass, VARIADIC key anycompatiblearray)
RETURNS SETOF steward.audit_log
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 SET jit = off
AS $$
DECLARE
    texts constant text[] := steward_internal.audit_key_texts(relation, key::text[]);
    spans constant steward_internal.audit_span[] := ARRAY(
        SELECT s FROM steward_internal.audit_trace(relation, steward_internal.audit_record_key(relation, texts), texts) s);
    ids constant bigint[] := ARRAY(SELECT DISTINCT s.table_id FROM unnest(spans) s);
    hashes constant bigint[] := ARRAY(SELECT DISTINCT s.key_hash FROM unnest(spans) s);
BEGIN
    PERFORM steward_internal.audit_tell_gap(relation, spans);

    -- Locks put the changes of one row in the order of the clock; transaction
    -- ids do not, because the older transaction may come to the row later.
    RETURN QUERY
    SELECT e.transaction_id, e.seq, e.table_schema, e.table_name, e.record_id, e.operation, e.old_values, e.new_values,
           e.changed_columns, e.changed_by, e.user_id, e.tenant_id, e.ip_address, e.application_name, e.context, e.created_at, e.event_id
      FROM steward.audit_entries e
     WHERE e.table_id = ANY (ids)
       AND (e.key_hash = ANY (hashes) OR e.old_key_hash = ANY (hashes))
       AND EXISTS (SELECT FROM unnest(spans) s
                    WHERE s.table_id = e.table_id
                      AND (e.key_hash = s.key_hash AND e.record_key = s.record_key OR e.old_key_hash = s.key_hash)
                      AND (e.created_at, e.seq) >= (s.since, s.since_seq) AND (e.created_at, e.seq) < (s.until, s.until_seq)
                      AND (NOT s.one_row OR (e.created_at, e.seq) = (s.since, s.since_seq) OR e.operation <> 'INSERT' AND e.old_key_hash IS NULL))
     ORDER BY e.created_at, e.transaction_id, e.seq;
END $$;
COMMENT ON FUNCTION steward.audit_history(regclass, anycompatiblearray) IS
'Returns the history of one row, oldest change first, from the values of its primary key, or from one JSON object of several columns, as record_id has it; follows it back through the keys it had before and the changes of its table.';
