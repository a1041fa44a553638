-- audit_maintain: partitions of the audit log, and how long it is kept.

CREATE FUNCTION steward_internal.audit_partition_bounds(relation regclass, OUT lower_bound timestamptz, OUT upper_bound timestamptz)
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET timezone = 'UTC'
AS $$
DECLARE
    bounds constant text[] := regexp_match(
        (SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c WHERE c.oid = relation),
        'FROM \(''?([^'')]*)''?\) TO \(''?([^'')]*)''?\)');
BEGIN
    lower_bound := CASE bounds[1] WHEN 'MINVALUE' THEN '-infinity' ELSE bounds[1] END;
    upper_bound := CASE bounds[2] WHEN 'MAXVALUE' THEN 'infinity' ELSE bounds[2] END;
END $$;
COMMENT ON FUNCTION steward_internal.audit_partition_bounds(regclass) IS
'Returns the bounds of a partition of the audit log, whatever the session''s time zone and date style; null for the default partition.';

CREATE VIEW steward.audit_partitions AS
SELECT p.oid AS relation_id, format('%I.%I', n.nspname, p.relname) AS qualified_name, b.lower_bound, b.upper_bound
  FROM pg_inherits i
  JOIN pg_class p ON p.oid = i.inhrelid
  JOIN pg_namespace n ON n.oid = p.relnamespace
 CROSS JOIN LATERAL steward_internal.audit_partition_bounds(p.oid) b
 WHERE i.inhparent = 'steward.audit_events'::regclass AND NOT i.inhdetachpending;
COMMENT ON VIEW steward.audit_partitions IS
'The partitions of the audit log with their bounds; the default partition has none.';
COMMENT ON COLUMN steward.audit_partitions.relation_id IS 'OID of the partition.';
COMMENT ON COLUMN steward.audit_partitions.qualified_name IS 'Its name with its schema, quoted where it must be.';
COMMENT ON COLUMN steward.audit_partitions.lower_bound IS 'Events of this time or later are in it; null for the default partition.';
COMMENT ON COLUMN steward.audit_partitions.upper_bound IS 'Events before this time; null for the default partition.';
GRANT SELECT ON steward.audit_partitions TO pg_monitor;

-- Upkeep must not be part of a deadlock, which might end with a user's
-- transaction.  So it leaves all queues, and what it holds of the locks, before
-- anybody looks for deadlocks; and writers do not stand behind it for long.
CREATE FUNCTION steward_internal.audit_lock(VARIADIC locks text[]) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s'
AS $$
DECLARE
    patience constant numeric := least(extract(epoch FROM current_setting('deadlock_timeout')::interval) * 1000 / 2, 200);
BEGIN
    PERFORM set_config('lock_timeout', greatest(floor(patience / cardinality(locks)), 1)::text, true);
    FOR attempt IN 1..20 LOOP
        BEGIN
            FOR i IN 1..cardinality(locks) LOOP
                EXECUTE format('LOCK TABLE %s MODE %s', locks[i], CASE WHEN patience < 10 THEN 'NOWAIT' END);
            END LOOP;
            RETURN true;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    RETURN false;
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_lock(text[]) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_lock(text[]) IS
'Locks tables of the audit log if they can be had within some seconds; returns whether they could.';

CREATE FUNCTION steward_internal.audit_share(log_partition regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
BEGIN
    FOR command IN
        WITH log AS (
            SELECT c.relowner, x.grantee, x.privilege_type, x.is_grantable
              FROM pg_class c
              LEFT JOIN aclexplode(c.relacl) x ON x.grantee <> c.relowner
             WHERE c.oid = 'steward.audit_events'::regclass
             UNION ALL
            -- row security shows nothing to that role
            SELECT c.relowner, 'pg_database_owner'::regrole, 'SELECT', false FROM pg_class c WHERE c.oid = 'steward.audit_events'::regclass
        ), own AS (
            SELECT c.relowner, x.*
              FROM pg_class c
              LEFT JOIN aclexplode(c.relacl) x ON x.grantee <> c.relowner
             WHERE c.oid = log_partition
        )
        SELECT DISTINCT format('ALTER TABLE %s OWNER TO %I', log_partition, pg_get_userbyid(l.relowner))
          FROM log l
          JOIN own o ON o.relowner <> l.relowner
         UNION ALL
        SELECT format('GRANT %s ON %s TO %s%s', l.privilege_type, log_partition,
                      CASE l.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(l.grantee)) END,
                      CASE WHEN l.is_grantable THEN ' WITH GRANT OPTION' END)
          FROM log l
         WHERE l.grantee IS NOT NULL
           AND NOT EXISTS (SELECT FROM own o WHERE o.grantee = l.grantee AND o.privilege_type = l.privilege_type AND o.is_grantable >= l.is_grantable)
         UNION ALL
        SELECT DISTINCT format('REVOKE %s ON %s FROM %s CASCADE', o.privilege_type, log_partition,
                               CASE o.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o.grantee)) END)
          FROM own o
         WHERE o.grantor = o.relowner
           AND NOT EXISTS (SELECT FROM log l WHERE l.grantee = o.grantee AND l.privilege_type = o.privilege_type)
    LOOP
        EXECUTE command;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_share(regclass) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_share(regclass) IS
'Gives a partition of the audit log the owner and the grants of the log, and lets the owner of the database lock it: pg_dump does that, by its name.';

-- The default partition is part of the extension, or the dump of a database could not be restored.
CREATE FUNCTION steward_internal.audit_adopt_default() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    ALTER TABLE steward.audit_events_default REPLICA IDENTITY FULL;
    COMMENT ON TABLE steward.audit_events_default IS
    'Takes the events that no other partition takes, so that a write never fails for want of one; audit_maintain() moves them on.';
    ALTER EXTENSION pg_steward ADD TABLE steward.audit_events_default;
    -- what pg_extension_config_dump() does in an extension's script
    UPDATE pg_extension
       SET extconfig = extconfig || 'steward.audit_events_default'::regclass::oid, extcondition = extcondition || ''::text
     WHERE extname = 'pg_steward';
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_adopt_default() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_adopt_default() IS
'Makes a new default partition of the audit log what that of the extension''s script was.';

CREATE FUNCTION steward_internal.audit_gaps(span text, ahead integer, reserved tstzrange, OUT gap_range tstzrange, OUT room_range tstzrange, OUT events bigint) RETURNS SETOF record
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
    WITH taken AS (
        SELECT coalesce(range_agg(r.range), '{}') AS ranges
          FROM (SELECT tstzrange(p.lower_bound, p.upper_bound) FROM steward.audit_partitions p WHERE p.lower_bound IS NOT NULL
                 UNION ALL
                SELECT reserved) AS r(range)
    ), spans AS (
        SELECT s.start, sum(s.events)::bigint AS events
          FROM (SELECT date_trunc(span, clock_timestamp()) + n * ('1 ' || span)::interval, 0 FROM generate_series(0, ahead) n
                 UNION ALL
                SELECT date_trunc(span, d.recorded_at), count(*) FROM ONLY steward.audit_events_default d GROUP BY 1) AS s(start, events)
         GROUP BY s.start
    )
    SELECT g.gap_range, r.room_range, s.events
      FROM spans s
     CROSS JOIN taken t
     CROSS JOIN LATERAL unnest(tstzmultirange(tstzrange(s.start, s.start + ('1 ' || span)::interval)) - t.ranges) AS g(gap_range)
      JOIN LATERAL unnest('{(,)}'::tstzmultirange - t.ranges) AS r(room_range) ON r.room_range @> g.gap_range
     ORDER BY g.gap_range
$$;
REVOKE ALL ON FUNCTION steward_internal.audit_gaps(text, integer, tstzrange) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_gaps(text, integer, tstzrange) IS
'Returns the spans of which the default partition of the audit log has events, the present one and those ahead, as far as no other partition takes them and they are not reserved, with the room that is free around each.';

-- The default partition is given bounds in two calls of audit_maintain().  The
-- server would read all of it under a lock, if no CHECK constraint said what is in
-- there.  The first call adds that; the second validates it while others write.
CREATE FUNCTION steward_internal.audit_default_bounds() RETURNS tstzrange
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET timezone = 'UTC'
AS $$
    SELECT tstzrange(b.bounds[1]::timestamptz, b.bounds[2]::timestamptz)
      FROM pg_constraint c
     CROSS JOIN LATERAL regexp_match(pg_get_constraintdef(c.oid), '>= ''([^'']*)''.* < ''([^'']*)''') AS b(bounds)
     WHERE c.conrelid = 'steward.audit_events_default'::regclass AND c.conname = 'run_audit_maintain_again'
$$;
REVOKE ALL ON FUNCTION steward_internal.audit_default_bounds() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_default_bounds() IS
'Returns the bounds that the default partition of the audit log is about to be given; null if it is not.';

CREATE FUNCTION steward_internal.audit_default_keeps(bounds tstzrange) RETURNS boolean
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    SELECT bounds @> clock_timestamp()
           OR EXISTS (SELECT FROM steward.audit_partitions p WHERE p.lower_bound <= clock_timestamp() AND clock_timestamp() < p.upper_bound)
$$;
REVOKE ALL ON FUNCTION steward_internal.audit_default_keeps(tstzrange) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_default_keeps(tstzrange) IS
'Returns whether what is recorded now is between these bounds, if it goes to the default partition of the audit log at all.';

CREATE FUNCTION steward_internal.audit_validate_default(bounds tstzrange) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET lock_timeout = '10s'  -- autovacuum gives way, and nobody who writes stands behind us
AS $$
BEGIN
    IF NOT steward_internal.audit_default_keeps(bounds)
       OR EXISTS (SELECT FROM steward.audit_partitions p WHERE p.lower_bound IS NOT NULL AND tstzrange(p.lower_bound, p.upper_bound) && bounds) THEN
        RETURN false;
    END IF;
    ALTER TABLE steward.audit_events_default VALIDATE CONSTRAINT run_audit_maintain_again;
    RETURN true;
EXCEPTION WHEN check_violation THEN
    RETURN false;
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_validate_default(tstzrange) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_validate_default(tstzrange) IS
'Returns whether the default partition of the audit log can be given these bounds, having read it.';

CREATE FUNCTION steward_internal.audit_partition_name(lower_bound timestamptz, span text) RETURNS name
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    new_name name := 'audit_events_' || to_char(lower_bound, CASE WHEN span = 'month' AND lower_bound = date_trunc('month', lower_bound)
                                                                 THEN 'YYYY_MM' ELSE 'YYYY_MM_DD' END);
BEGIN
    -- the name may belong to a partition that was detached
    WHILE to_regclass(format('steward.%I', new_name)) IS NOT NULL LOOP
        new_name := new_name || '_';
    END LOOP;
    RETURN new_name;
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_partition_name(timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_partition_name(timestamptz, text) IS
'Returns a name that is free for a partition of the audit log.';

CREATE FUNCTION steward_internal.audit_rename_partition(log_partition regclass, new_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_name constant name := (SELECT c.relname FROM pg_class c WHERE c.oid = log_partition);
    command text;
BEGIN
    EXECUTE format('ALTER TABLE %s RENAME TO %I', log_partition, new_name);
    FOR command IN
        SELECT format('ALTER INDEX %s RENAME TO %I', i.indexrelid::regclass, new_name || substr(c.relname, length(old_name) + 1))
          FROM pg_index i
          JOIN pg_class c ON c.oid = i.indexrelid AND starts_with(c.relname, old_name)
         WHERE i.indrelid = log_partition
    LOOP
        EXECUTE command;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_rename_partition(regclass, name) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_rename_partition(regclass, name) IS
'Renames a partition of the audit log with its indexes.';

CREATE FUNCTION steward_internal.audit_move(event_range tstzrange, log_partition regclass) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    moved bigint;
BEGIN
    EXECUTE format('WITH moved AS (DELETE FROM ONLY steward.audit_events_default WHERE recorded_at >= $1 AND recorded_at < $2 RETURNING *)
                    INSERT INTO %s SELECT * FROM moved', log_partition) USING lower(event_range), upper(event_range);
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_move(tstzrange, regclass) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_move(tstzrange, regclass) IS
'Moves what the default partition of the audit log has of a span into another table; returns how many events that were.';

CREATE FUNCTION steward_internal.audit_create_partition(partition_name name, event_range tstzrange) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_partition regclass;
    moved bigint;
BEGIN
    EXECUTE format('CREATE TABLE steward.%I (LIKE steward.audit_events_default INCLUDING DEFAULTS INCLUDING STORAGE)', partition_name);
    new_partition := format('steward.%I', partition_name);
    moved := steward_internal.audit_move(event_range, new_partition);
    PERFORM steward_internal.audit_equip(new_partition);
    PERFORM steward_internal.audit_leave_last_range(new_partition);
    RETURN moved;
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_create_partition(name, tstzrange) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_create_partition(name, tstzrange) IS
'Creates what is to be a partition of the audit log, and moves into it what the default partition has of a span; returns how many events that were.';

CREATE FUNCTION steward_internal.audit_attach_default(default_range tstzrange, new_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    ALTER TABLE steward.audit_events DETACH PARTITION steward.audit_events_default;
    ALTER EXTENSION pg_steward DROP TABLE steward.audit_events_default;
    ALTER TABLE steward.audit_events_default REPLICA IDENTITY DEFAULT;
    COMMENT ON TABLE steward.audit_events_default IS NULL;
    PERFORM steward_internal.audit_rename_partition('steward.audit_events_default', new_name);
    EXECUTE format('ALTER TABLE steward.audit_events ATTACH PARTITION steward.%I FOR VALUES FROM (%L) TO (%L)', new_name, lower(default_range), upper(default_range));
    EXECUTE format('ALTER TABLE steward.%I DROP CONSTRAINT run_audit_maintain_again', new_name);

    PERFORM steward_internal.audit_rename_partition('steward.audit_events_default_next', 'audit_events_default');
    ALTER TABLE steward.audit_events ATTACH PARTITION steward.audit_events_default DEFAULT;
    PERFORM steward_internal.audit_adopt_default();
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_attach_default(tstzrange, name) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_attach_default(tstzrange, name) IS
'Gives the default partition of the audit log bounds and a name, and puts audit_events_default_next in its place.';

CREATE FUNCTION steward.audit_maintain()
RETURNS TABLE (action text, partition text, detail text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '1s' SET steward.audit_guard = off
AS $$
DECLARE
    loaded constant bigint := steward_internal.audit_table_id('steward.audit_events');  -- brings in the library with its settings
    span constant text := current_setting('steward.audit_partition_interval');
    ahead constant integer := current_setting('steward.audit_partitions_ahead');
    retention constant interval := current_setting('steward.audit_retention')::interval;
    started constant timestamptz := clock_timestamp();
    is_too_short constant boolean := retention <> '0' AND retention < ('1 ' || span)::interval;
    cutoff constant timestamptz := started - CASE WHEN NOT is_too_short THEN nullif(retention, '0') END;
    -- the server reads so many under a lock in some milliseconds
    few_events constant integer := 10000;
    default_range tstzrange;  -- that the default partition is to have
    were_announced boolean;
    are_proven boolean := false;
    new_ranges tstzrange[] := '{}';
    new_range tstzrange;
    names name[] := '{}';
    counts bigint[] := '{}';
    new record;
    expired text[];
    row_count bigint;
    open_partition regclass;
BEGIN
    -- one at a time; whoever comes second has nothing left to do
    BEGIN
        PERFORM pg_advisory_xact_lock('steward.audit_events'::regclass::oid::bigint);
    EXCEPTION WHEN lock_not_available THEN
        action := 'postponed';
        partition := 'steward.audit_events';
        detail := 'another audit_maintain() is at work';
        RETURN NEXT;
        RETURN;
    END;

    IF is_too_short THEN
        action := 'kept';
        partition := 'steward.audit_events';
        detail := format('steward.audit_retention is %s, less than the span of a partition, a %s: nothing is dropped', current_setting('steward.audit_retention'), span);
        RETURN NEXT;
    END IF;

    IF to_regclass('steward.audit_events_default') IS NULL THEN
        CREATE TABLE steward.audit_events_default PARTITION OF steward.audit_events DEFAULT;
        PERFORM steward_internal.audit_adopt_default();
    END IF;
    PERFORM steward_internal.audit_equip('steward.audit_events_default');

    -- First what takes time, while others write and read.

    -- A context serves for a day at most, so what is older than the oldest
    -- event by more than that stands for nothing any more.
    DELETE FROM steward.audit_contexts c
     WHERE c.created_at < cutoff - interval '1 day'
       AND c.created_at < least((SELECT min(p.lower_bound) FROM steward.audit_partitions p),
                                (SELECT min(d.recorded_at) FROM ONLY steward.audit_events_default d)) - interval '1 day';
    GET DIAGNOSTICS row_count = ROW_COUNT;
    IF row_count > 0 THEN
        action := 'removed contexts';
        partition := 'steward.audit_contexts';
        detail := format('%s rows that no event needs', row_count);
        RETURN NEXT;
    END IF;

    DELETE FROM steward.audit_tables t
     WHERE t.ctid IN (SELECT n.ctid
                        FROM (SELECT a.ctid, (a.table_schema, a.table_name, a.key_columns)
                                     = (lag(a.table_schema) OVER names, lag(a.table_name) OVER names, lag(a.key_columns) OVER names)
                                     AND a.detached_from IS NULL AS repeated
                                FROM steward.audit_tables a
                              WINDOW names AS (PARTITION BY a.table_id ORDER BY a.known_since, a.ctid)) n
                       WHERE n.repeated);
    GET DIAGNOSTICS row_count = ROW_COUNT;
    IF row_count > 0 THEN
        action := 'removed names';
        partition := 'steward.audit_tables';
        detail := format('%s rows that repeat a name', row_count);
        RETURN NEXT;
    END IF;

    FOR partition, open_partition IN
        SELECT i.indexrelid::regclass, CASE WHEN p.upper_bound <= started THEN NULL ELSE p.relation_id END
          FROM steward.audit_partitions p
          JOIN pg_index i ON i.indrelid = p.relation_id
          JOIN pg_class c ON c.oid = i.indexrelid
          JOIN pg_am a ON a.oid = c.relam AND a.amname = 'brin'
         WHERE p.upper_bound <= cutoff IS NOT TRUE
    LOOP
        BEGIN
            PERFORM brin_summarize_new_values(partition::regclass);
            PERFORM steward_internal.audit_leave_last_range(open_partition);
        EXCEPTION WHEN lock_not_available THEN
            action := 'postponed';
            detail := 'in use: could not be summarized within ' || current_setting('lock_timeout');
            RETURN NEXT;
        END;
    END LOOP;

    FOR new IN SELECT g.gap_range FROM steward_internal.audit_gaps(span, -1, NULL) g WHERE upper(g.gap_range) <= cutoff LOOP
        DELETE FROM ONLY steward.audit_events_default d WHERE d.recorded_at >= lower(new.gap_range) AND d.recorded_at < upper(new.gap_range);
        GET DIAGNOSTICS row_count = ROW_COUNT;
        action := 'dropped';
        partition := 'steward.audit_events_default';
        detail := format('%s events older than %s', row_count, upper(new.gap_range));
        RETURN NEXT;
    END LOOP;

    BEGIN
        default_range := steward_internal.audit_default_bounds();
        were_announced := default_range IS NOT NULL;
        IF were_announced THEN
            are_proven := steward_internal.audit_validate_default(default_range);
        END IF;
        IF NOT are_proven THEN
            -- what a transaction has yet to write may be as old as the transaction
            default_range := (SELECT tstzrange(greatest(lower(g.room_range), least(min(lower(g.gap_range)), (SELECT date_trunc(span, min(a.xact_start)) FROM pg_stat_activity a))),
                                               max(upper(g.gap_range)))
                                FROM steward_internal.audit_gaps(span, 0, NULL) g
                               WHERE lower(g.gap_range) <= started
                               GROUP BY g.room_range
                              HAVING sum(g.events) > few_events
                               ORDER BY sum(g.events) DESC
                               LIMIT 1);
        END IF;

        FOR new IN
            SELECT g.gap_range, steward_internal.audit_partition_name(lower(g.gap_range), span) AS name
              FROM steward_internal.audit_gaps(span, ahead, default_range) g
             -- for each of them the server reads the default partition: those ahead can wait until that is empty
             WHERE default_range IS NULL OR are_proven OR g.events > 0 OR g.gap_range @> started
        LOOP
            new_ranges := new_ranges || new.gap_range;
            names := names || new.name;
            counts := counts || steward_internal.audit_create_partition(new.name, new.gap_range);
        END LOOP;
        IF are_proven THEN
            PERFORM steward_internal.audit_create_partition('audit_events_default_next', 'empty');
        END IF;

        -- Then what takes an instant, while nobody does.

        expired := ARRAY(SELECT p.qualified_name FROM steward.audit_partitions p WHERE p.upper_bound <= cutoff ORDER BY p.upper_bound);
        IF expired <> '{}' THEN
            IF steward_internal.audit_lock(VARIADIC ARRAY['ONLY steward.audit_events IN ACCESS EXCLUSIVE', 'ONLY steward.audit_events_default IN ACCESS EXCLUSIVE']
                                                    || ARRAY(SELECT e.name || ' IN ACCESS EXCLUSIVE' FROM unnest(expired) e(name))) THEN
                FOREACH partition IN ARRAY expired LOOP
                    action := 'dropped';
                    detail := format('its events are older than %s', (steward_internal.audit_partition_bounds(partition::regclass)).upper_bound);
                    EXECUTE format('DROP TABLE %s', partition);
                    RETURN NEXT;
                END LOOP;
            ELSE
                action := 'postponed';
                partition := expired[1];
                detail := 'the log is in use: run audit_maintain() again';
                RETURN NEXT;
            END IF;
        END IF;

        IF (names <> '{}' OR were_announced OR default_range IS NOT NULL)
           AND NOT steward_internal.audit_lock('ONLY steward.audit_events IN ' || CASE WHEN are_proven THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE UPDATE EXCLUSIVE' END,
                                               'ONLY steward.audit_events_default IN ACCESS EXCLUSIVE')
           OR are_proven AND NOT steward_internal.audit_default_keeps(default_range) THEN
            RAISE lock_not_available;
        END IF;
        IF are_proven THEN
            new.name := steward_internal.audit_partition_name(lower(default_range), span);
            PERFORM steward_internal.audit_attach_default(default_range, new.name);
            action := 'created';
            partition := format('steward.%I', new.name);
            detail := format('from %s to %s, of the default partition', lower(default_range), upper(default_range));
            RETURN NEXT;
        ELSIF were_announced THEN
            ALTER TABLE steward.audit_events_default DROP CONSTRAINT run_audit_maintain_again;
        END IF;
        FOR i IN 1..cardinality(names) LOOP
            new_range := new_ranges[i];
            partition := format('steward.%I', names[i]);
            counts[i] := counts[i] + steward_internal.audit_move(new_range, partition::regclass);
            EXECUTE format('ALTER TABLE steward.audit_events ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', partition, lower(new_range), upper(new_range));
            action := 'created';
            detail := format('from %s to %s, %s events moved in', lower(new_range), upper(new_range), counts[i]);
            RETURN NEXT;
        END LOOP;
        IF default_range IS NOT NULL AND NOT are_proven THEN
            EXECUTE format('ALTER TABLE steward.audit_events_default ADD CONSTRAINT run_audit_maintain_again
                            CHECK (recorded_at >= %L AND recorded_at < %L) NOT VALID', lower(default_range), upper(default_range));
            action := 'postponed';
            partition := 'steward.audit_events_default';
            detail := format('will be the partition from %s to %s: run audit_maintain() again', lower(default_range), upper(default_range));
            RETURN NEXT;
        END IF;
    EXCEPTION WHEN lock_not_available OR check_violation THEN
        action := 'postponed';
        partition := 'steward.audit_events_default';
        detail := 'the log is in use: run audit_maintain() again';
        RETURN NEXT;
    END;

    PERFORM steward_internal.audit_share(p.relation_id) FROM steward.audit_partitions p;
END $$;
REVOKE ALL ON FUNCTION steward.audit_maintain() FROM PUBLIC;
COMMENT ON FUNCTION steward.audit_maintain() IS
'Creates the coming partitions of the audit log and drops those older than steward.audit_retention; schedule() has it called.';
