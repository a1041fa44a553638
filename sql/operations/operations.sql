-- operations: procedures that work through a table in batches, how far they are, and where they go on.

CREATE TABLE steward_internal.operations (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation      text        NOT NULL,
    relation_id    oid         NOT NULL,
    relation       text        NOT NULL,
    -- on which owners' behalf: with their tables' statements no other role has anything to do
    owner_id       oid         NOT NULL,
    arguments      jsonb       NOT NULL,
    batch          integer     NOT NULL,
    position       jsonb       NOT NULL DEFAULT '{}',
    rows_estimated bigint,
    rows_seen      bigint      NOT NULL DEFAULT 0,
    rows_changed   bigint      NOT NULL DEFAULT 0,
    started_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at    timestamptz,
    error          text,
    -- of the call that is at it, or was the last to be
    pid            integer     NOT NULL DEFAULT pg_backend_pid(),
    backend_start  timestamptz,
    called_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_before    bigint      NOT NULL DEFAULT 0
);
COMMENT ON TABLE steward_internal.operations IS
'What steward.operations shows, and where each operation goes on.';
COMMENT ON SEQUENCE steward_internal.operations_id_seq IS
'Numbers operations.';
CREATE INDEX operations_unfinished ON steward_internal.operations (relation_id) WHERE finished_at IS NULL;
COMMENT ON INDEX steward_internal.operations_unfinished IS
'What a call looks for, to go on with.';
ALTER TABLE steward_internal.operations ENABLE ROW LEVEL SECURITY;
CREATE POLICY owners ON steward_internal.operations USING (pg_has_role(owner_id, 'USAGE'));
COMMENT ON POLICY owners ON steward_internal.operations IS
'Who may act as the owner of a table may work through it.';
-- A call believes what stands in its row, perhaps with more rights than who wrote it.
CREATE POLICY owned ON steward_internal.operations AS RESTRICTIVE FOR INSERT
    WITH CHECK (owner_id = (SELECT c.relowner FROM pg_class c WHERE c.oid = relation_id));
COMMENT ON POLICY owned ON steward_internal.operations IS
'An operation is that of the owner of its table.';
CREATE POLICY monitors ON steward_internal.operations FOR SELECT USING (pg_has_role('pg_monitor', 'USAGE'));
COMMENT ON POLICY monitors ON steward_internal.operations IS
'Who watches the server sees all.';
-- what is to be done, and where, is fixed by whoever began it
GRANT SELECT, DELETE, INSERT (operation, relation_id, relation, owner_id, arguments, batch, rows_estimated, backend_start),
    UPDATE (batch, position, rows_seen, rows_changed, updated_at, finished_at, error, pid, backend_start, called_at, seen_before)
    ON steward_internal.operations TO PUBLIC;

CREATE VIEW steward.operations WITH (security_invoker = true) AS
SELECT o.id, o.operation, o.relation,
       CASE WHEN o.error IS NOT NULL THEN 'failed'
            WHEN o.finished_at IS NOT NULL THEN 'finished'
            WHEN EXISTS (SELECT FROM pg_stat_get_activity(o.pid) a WHERE a.backend_start = o.backend_start) THEN 'running'
            ELSE 'stopped' END AS state,
       o.rows_seen, o.rows_changed, o.rows_estimated, r.rows_per_second,
       CASE WHEN o.finished_at IS NULL AND o.error IS NULL
            THEN make_interval(secs => round(greatest(o.rows_estimated - o.rows_seen, 0) / nullif(r.rows_per_second, 0))::float8) END AS time_left,
       o.started_at, o.updated_at, o.finished_at, o.pid, pg_get_userbyid(o.owner_id) AS owner, o.arguments, o.error
  FROM steward_internal.operations o
 CROSS JOIN LATERAL (SELECT round((o.rows_seen - o.seen_before)::numeric / nullif(extract(epoch FROM o.updated_at - o.called_at), 0), 1)) r (rows_per_second);
COMMENT ON VIEW steward.operations IS
'Operations on tables in batches: those that are running, and those of the last 90 days.';
COMMENT ON COLUMN steward.operations.state IS 'One of running, finished, failed and stopped; the same call again goes on with the latter two.';
COMMENT ON COLUMN steward.operations.rows_seen IS 'How many rows have been looked at, passes taken together.';
COMMENT ON COLUMN steward.operations.rows_changed IS 'How many of them were changed or deleted.';
COMMENT ON COLUMN steward.operations.rows_estimated IS 'How many rows the table had at the start, as the planner believes.';
COMMENT ON COLUMN steward.operations.rows_per_second IS 'Rows looked at per second since the last call began.';
COMMENT ON COLUMN steward.operations.time_left IS 'How long it will take at this rate.';
COMMENT ON COLUMN steward.operations.arguments IS 'What was asked for.';
GRANT SELECT ON steward.operations TO PUBLIC;

CREATE FUNCTION steward_internal.assigned_columns(assignments text) RETURNS name[]
AS 'MODULE_PATHNAME', 'steward_assigned_columns' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.assigned_columns(text) IS
'Returns the columns that the SET clause of an UPDATE assigns to; raises 42601 for more than that.';

CREATE FUNCTION steward_internal.run_as_owner(relation regclass, command text) RETURNS text[]
AS 'MODULE_PATHNAME', 'steward_run_as_owner' LANGUAGE C STRICT;
COMMENT ON FUNCTION steward_internal.run_as_owner(regclass, text) IS
'Runs a command as the owner of a table, without its row security; returns the first row of the result.';

CREATE FUNCTION steward_internal.run_in_path(relation regclass, command text, path text) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('search_path', path, true);
    RETURN steward_internal.run_as_owner(relation, command);
END $$;
COMMENT ON FUNCTION steward_internal.run_in_path(regclass, text, text) IS
'Runs a command as run_as_owner() does, with the search path in which expressions of the user find their functions.';

CREATE FUNCTION steward_internal.require_no_transaction(procedure text) RETURNS void
AS 'MODULE_PATHNAME', 'steward_require_no_transaction' LANGUAGE C STRICT;
COMMENT ON FUNCTION steward_internal.require_no_transaction(text) IS
'Raises 25001 in a transaction block.';

-- Only roles with pg_monitor see it in the view, and how far replicas are behind is no secret.
CREATE FUNCTION steward_internal.replica_lag() RETURNS interval
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT max(r.replay_lag) FROM pg_stat_replication r WHERE r.application_name <> 'pg_basebackup');
COMMENT ON FUNCTION steward_internal.replica_lag() IS
'Returns how long the slowest replica takes to replay what is written; null without replicas, or if nothing is being written.';

CREATE FUNCTION steward_internal.operation_begin(operation text, relation regclass, arguments jsonb, batch integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found bigint;
    table_owner oid;
    table_name text;
    estimate float8;
    mine constant timestamptz := (SELECT a.backend_start FROM pg_stat_get_activity(pg_backend_pid()) a);
BEGIN
    DELETE FROM steward_internal.operations o WHERE o.finished_at < now() - interval '90 days' AND pg_has_role(o.owner_id, 'USAGE');
    UPDATE steward_internal.operations o
       SET batch = operation_begin.batch, pid = pg_backend_pid(), backend_start = mine, called_at = clock_timestamp(), seen_before = o.rows_seen, error = NULL
     WHERE o.id = (SELECT max(p.id) FROM steward_internal.operations p
                    WHERE p.finished_at IS NULL AND p.relation_id = operation_begin.relation
                      AND p.owner_id = (SELECT c.relowner FROM pg_class c WHERE c.oid = operation_begin.relation)
                      AND p.operation = operation_begin.operation AND p.arguments = operation_begin.arguments)
    RETURNING o.id INTO found;
    IF found IS NOT NULL THEN
        RAISE NOTICE USING MESSAGE = format('%s of %s: going on where it was stopped', operation, relation);
        RETURN found;
    END IF;
    SELECT c.relowner, format('%I.%I', n.nspname, c.relname),
           (SELECT nullif(sum(greatest(p.reltuples, 0)), 0) FROM steward_internal.table_members(relation) m JOIN pg_class p ON p.oid = m.member AND p.relkind = 'r')
      INTO table_owner, table_name, estimate FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
    INSERT INTO steward_internal.operations (operation, relation_id, relation, owner_id, arguments, batch, rows_estimated, backend_start)
    VALUES (operation, relation, table_name, table_owner, arguments, batch, estimate, mine)
    RETURNING id INTO found;
    RETURN found;
END $$;
COMMENT ON FUNCTION steward_internal.operation_begin(text, regclass, jsonb, integer) IS
'Returns the number of an operation, which is that of an earlier one with the same arguments that has not come to its end.';

CREATE FUNCTION steward_internal.operation_advance(operation_id bigint, next jsonb, seen bigint, changed bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE steward_internal.operations o
       SET position = next, rows_seen = o.rows_seen + seen, rows_changed = o.rows_changed + changed, updated_at = clock_timestamp(), error = NULL
     WHERE o.id = operation_id;
END;
COMMENT ON FUNCTION steward_internal.operation_advance(bigint, jsonb, bigint, bigint) IS
'Notes what a batch has done, and where the next one begins.';

CREATE FUNCTION steward_internal.operation_end(operation_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    o steward_internal.operations;
BEGIN
    UPDATE steward_internal.operations p SET finished_at = clock_timestamp(), updated_at = clock_timestamp()
     WHERE p.id = operation_id RETURNING * INTO o;
    RAISE NOTICE USING MESSAGE = format('%s of %s: finished, %s row(s) seen, %s changed', o.operation, o.relation, o.rows_seen, o.rows_changed);
END $$;
COMMENT ON FUNCTION steward_internal.operation_end(bigint) IS
'Notes that nothing is left to do, and says what was done.';

-- What a procedure keeps in mind from one batch to the next.
CREATE TYPE steward_internal.operation_state AS (
    goes_on  boolean,
    attempts integer,
    told_at  timestamptz,
    error    jsonb
);

CREATE FUNCTION steward_internal.operation_step(operation_id bigint, path text, lock_timeout interval, state steward_internal.operation_state)
RETURNS steward_internal.operation_state
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    step constant text := (SELECT o.operation || '_step' FROM steward_internal.operations o WHERE o.id = operation_id);
    sqlstate_found text;
    message_found text;
    detail_found text;
    hint_found text;
    column_found text;
    constraint_found text;
BEGIN
    PERFORM set_config('lock_timeout', coalesce(ceil(extract(epoch FROM lock_timeout) * 1000), 0)::bigint::text, true);
    state.told_at := coalesce(state.told_at, clock_timestamp());
    BEGIN
        EXECUTE format('SELECT steward_internal.%I($1, $2)', step) INTO state.goes_on USING operation_id, path;
        state.attempts := 0;
        state.error := NULL;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS sqlstate_found = RETURNED_SQLSTATE, message_found = MESSAGE_TEXT, detail_found = PG_EXCEPTION_DETAIL,
            hint_found = PG_EXCEPTION_HINT, column_found = COLUMN_NAME, constraint_found = CONSTRAINT_NAME;
        state.attempts := coalesce(state.attempts, 0) + 1;
        -- somebody else is at work there: 3 minutes in all
        state.goes_on := sqlstate_found IN ('55P03', '40P01', '40001') AND state.attempts < 60;
        state.error := jsonb_build_object('sqlstate', sqlstate_found, 'message', message_found, 'detail', detail_found, 'hint', hint_found,
                                          'column', column_found, 'constraint', constraint_found);
        UPDATE steward_internal.operations o SET error = CASE WHEN NOT state.goes_on THEN message_found END, updated_at = clock_timestamp() WHERE o.id = operation_id;
    END;
    RETURN state;
END $$;
COMMENT ON FUNCTION steward_internal.operation_step(bigint, text, interval, steward_internal.operation_state) IS
'Does the next batch of an operation, or notes why it cannot be done; waits no longer for a lock than lock_timeout.';

CREATE FUNCTION steward_internal.operation_between(operation_id bigint, pause interval, max_lag interval, state steward_internal.operation_state)
RETURNS steward_internal.operation_state
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    o record;
    waits boolean := false;
BEGIN
    IF NOT state.goes_on AND state.error IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = state.error->>'sqlstate', MESSAGE = state.error->>'message', DETAIL = state.error->>'detail',
            HINT = coalesce(nullif(state.error->>'hint', ''), 'What has been committed stays. The same call again goes on from there.'),
            COLUMN = state.error->>'column', CONSTRAINT = state.error->>'constraint';
    ELSIF NOT state.goes_on THEN
        PERFORM steward_internal.operation_end(operation_id);
        RETURN state;
    ELSIF state.error IS NOT NULL THEN
        PERFORM pg_sleep(least(state.attempts * 0.1, 3));
    END IF;
    IF clock_timestamp() >= state.told_at + interval '5 s' THEN
        SELECT * INTO o FROM steward.operations p WHERE p.id = operation_id;
        RAISE NOTICE USING MESSAGE = format('%s of %s: %s of about %s row(s) seen, %s changed, %s a second, %s left%s', o.operation, o.relation, o.rows_seen,
                                            coalesce(o.rows_estimated::text, '?'), o.rows_changed, round(o.rows_per_second), coalesce(o.time_left::text, '?'),
                                            '; waiting: ' || (state.error->>'message'));
        state.told_at := clock_timestamp();
    END IF;
    IF pause > interval '0' THEN
        PERFORM pg_sleep_for(pause);
    END IF;
    WHILE steward_internal.replica_lag() > max_lag LOOP
        IF NOT waits THEN
            RAISE NOTICE USING MESSAGE = format('waiting for replicas that are %s behind', steward_internal.replica_lag());
            waits := true;
        END IF;
        PERFORM pg_sleep(0.5);
    END LOOP;
    RETURN state;
END $$;
COMMENT ON FUNCTION steward_internal.operation_between(bigint, interval, interval, steward_internal.operation_state) IS
'Waits between two batches, for a time and for replicas, and tells each five seconds how far it is; raises what a batch failed with.';

-- Names are qualified and no operators used, since a procedure that commits cannot have a search path of its own.
CREATE PROCEDURE steward_internal.operation_run(operation_id bigint, pause interval, max_lag interval, lock_timeout interval)
LANGUAGE plpgsql
AS $$
DECLARE
    path constant pg_catalog.text := pg_catalog.current_setting('search_path');
    state steward_internal.operation_state;
BEGIN
    COMMIT;
    LOOP
        state := steward_internal.operation_step(operation_id, path, lock_timeout, state);
        COMMIT;
        state := steward_internal.operation_between(operation_id, pause, max_lag, state);
        EXIT WHEN NOT state.goes_on;
    END LOOP;
END $$;
COMMENT ON PROCEDURE steward_internal.operation_run(bigint, interval, interval, interval) IS
'Does what is left of an operation, with a transaction for each batch: calls steward_internal.NAME_step(operation_id, search path of the caller), which tells whether more is left.';

CREATE FUNCTION steward_internal.operation_check(procedure text, batch integer, pause interval, max_lag interval, lock_timeout interval) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.require_no_transaction(procedure);
    IF batch IS NULL OR batch < 1 THEN
        RAISE invalid_parameter_value USING MESSAGE = 'batch must be at least 1';
    ELSIF pause < interval '0' OR max_lag <= interval '0' OR lock_timeout <= interval '0' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'pause must not be negative, max_lag and lock_timeout must be positive',
            HINT = 'NULL for no limit.';
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.operation_check(text, integer, interval, interval, interval) IS
'Raises 22023 for what no operation in batches can keep to, and 25001 in a transaction block.';
