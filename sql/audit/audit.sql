-- audit: who changed which row, from what to what.

--
-- Storage
--

CREATE TABLE steward.audit_tables (
    table_id     bigint      NOT NULL,
    known_since  timestamptz NOT NULL,
    era          bigint      NOT NULL,
    database_id  oid         NOT NULL,
    relation_id  oid         NOT NULL,
    table_schema name        NOT NULL,
    table_name   name        NOT NULL,
    key_columns  jsonb       NOT NULL,
    detached_from bigint
);
-- Not unique: two sessions that meet a table at once each add a row, and neither waits;
-- audit_maintain() removes the second, which a publication of all tables allows only so.
CREATE INDEX audit_tables_table_id_idx ON steward.audit_tables (table_id);
ALTER TABLE steward.audit_tables REPLICA IDENTITY FULL;
SELECT pg_extension_config_dump('steward.audit_tables', '');
COMMENT ON TABLE steward.audit_tables IS
'The audited tables, their names and their keys: a row when the log first met a table, and one after each change of these.';
COMMENT ON COLUMN steward.audit_tables.table_id IS
'Id of the table in the log: its oid, and a hash of the database it is in.';
COMMENT ON COLUMN steward.audit_tables.known_since IS
'When the log met the table with this name and key.';
COMMENT ON COLUMN steward.audit_tables.key_columns IS
'The columns that identified the rows, in the order of the key: number, name, type, and whether a hash stands for the value.';
COMMENT ON COLUMN steward.audit_tables.detached_from IS
'Id of the partitioned table that had the rows until then; null unless the table has just been detached.';
COMMENT ON COLUMN steward.audit_tables.era IS
'System identifier of the cluster the table was met in.';

CREATE TABLE steward.audit_contexts (
    context_id       bigint      PRIMARY KEY,
    era              bigint      NOT NULL,
    created_at       timestamptz NOT NULL,
    session_user_name text       NOT NULL,
    role_name        text        NOT NULL,
    user_id          text,
    user_verified    boolean     NOT NULL DEFAULT false,
    tenant_id        text,
    tenant_verified  boolean     NOT NULL DEFAULT false,
    client_ip        inet,
    client_addr      inet,
    client_port      integer,
    application_name text        NOT NULL,
    backend_pid      integer     NOT NULL,
    backend_start    timestamptz NOT NULL,
    origin           text,
    context          jsonb
);
-- What a user did, and what was done in one request: a row for each context costs less than one for each event.
CREATE INDEX audit_contexts_user_id_created_at_idx ON steward.audit_contexts (user_id, created_at) WHERE user_id IS NOT NULL;
-- entries that wait in a list would be on a page that all sessions write
CREATE INDEX audit_contexts_context_idx ON steward.audit_contexts USING gin (context jsonb_path_ops) WITH (fastupdate = off) WHERE context IS NOT NULL;
SELECT pg_extension_config_dump('steward.audit_contexts', '');
COMMENT ON TABLE steward.audit_contexts IS
'Who was at work: one row for each distinct context a session worked in.';
COMMENT ON COLUMN steward.audit_contexts.era IS
'System identifier of the cluster: transaction ids are unique within it.';
COMMENT ON COLUMN steward.audit_contexts.role_name IS
'The role after SET ROLE; a SECURITY DEFINER function does not change it.';
COMMENT ON COLUMN steward.audit_contexts.user_id IS
'Application user, from the tenant module''s context or the setting that steward.audit_user_setting names.';
COMMENT ON COLUMN steward.audit_contexts.user_verified IS
'Whether user_id comes from the tenant module''s context; the setting is whatever the application says.';
COMMENT ON COLUMN steward.audit_contexts.tenant_id IS
'Tenant, from the tenant module''s context or the setting that steward.audit_tenant_setting names.';
COMMENT ON COLUMN steward.audit_contexts.tenant_verified IS
'Whether tenant_id comes from the tenant module''s context; the setting is whatever the application says.';
COMMENT ON COLUMN steward.audit_contexts.client_ip IS
'Address of the application''s client, from the setting that steward.audit_client_ip_setting names.';
COMMENT ON COLUMN steward.audit_contexts.client_addr IS
'Address of the database client; null on a unix socket.';
COMMENT ON COLUMN steward.audit_contexts.origin IS
'Replication origin of replicated changes.';
COMMENT ON COLUMN steward.audit_contexts.context IS
'What the application set in steward.context; settings that could not be read stand under "malformed".';

-- The order of the columns keeps a row free of padding, and puts last what is
-- mostly null; src/audit/audit_internal.h knows it.
CREATE TABLE steward.audit_events (
    recorded_at    timestamptz NOT NULL,
    transaction_id xid8        NOT NULL,
    context_id     bigint      NOT NULL,
    table_id       bigint      NOT NULL,
    key_hash       bigint,
    seq            integer     NOT NULL,
    operation      "char"      NOT NULL,
    record_key     jsonb,
    old_values     jsonb,
    new_values     jsonb,
    tenant_id      text        COLLATE "C",
    old_key_hash   bigint
) PARTITION BY RANGE (recorded_at);
COMMENT ON TABLE steward.audit_events IS
'The audit log: one row for each row change and each TRUNCATE.';
COMMENT ON COLUMN steward.audit_events.recorded_at IS
'Clock time of the change.';
COMMENT ON COLUMN steward.audit_events.seq IS
'Number of the change in its transaction; (era, transaction_id, seq) identifies an event.';
COMMENT ON COLUMN steward.audit_events.key_hash IS
'Hash of record_key, for the index; null for TRUNCATE.';
COMMENT ON COLUMN steward.audit_events.tenant_id IS
'The tenant that may read the event: the one of the tenant module''s context, unless the row belongs to another.';
COMMENT ON COLUMN steward.audit_events.old_key_hash IS
'Hash of the key the row had before, where the change changed the key.';
COMMENT ON COLUMN steward.audit_events.operation IS
'I, U, D or T, for INSERT, UPDATE, DELETE and TRUNCATE.';
COMMENT ON COLUMN steward.audit_events.record_key IS
'The primary key by column name, after the change; a hash of the row where there is none.';

-- What happened between two moments, or in one transaction: events come in the
-- order of both, so a block range index of a few pages finds them.
CREATE OPERATOR CLASS steward_internal.xid8_minmax_ops FOR TYPE xid8 USING brin AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 brin_minmax_opcinfo(internal),
    FUNCTION 2 brin_minmax_add_value(internal, internal, internal, internal),
    FUNCTION 3 brin_minmax_consistent(internal, internal, internal),
    FUNCTION 4 brin_minmax_union(internal, internal, internal);

--
-- Capture
--

CREATE FUNCTION steward.audit_trigger() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'steward_audit_trigger';
COMMENT ON FUNCTION steward.audit_trigger() IS
'Records row changes and TRUNCATE in the audit log. Arguments: exclude=, include=, redact= (columns), capture=changes|full|key.';

CREATE FUNCTION steward_internal.audit_guard_trigger() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'steward_audit_guard_trigger';
REVOKE ALL ON FUNCTION steward_internal.audit_guard_trigger() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_guard_trigger() IS
'Refuses to change a table of the audit log, and says who tried.';

CREATE FUNCTION steward_internal.audit_restore_trigger() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'steward_audit_restore_trigger';
REVOKE ALL ON FUNCTION steward_internal.audit_restore_trigger() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_restore_trigger() IS
'Refuses to restore an event that the audit log has already.';

--
-- Who may read
--

CREATE FUNCTION steward_internal.audit_reads_all() RETURNS boolean
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_reads_all';
COMMENT ON FUNCTION steward_internal.audit_reads_all() IS
'Returns whether the current role may read the events of all tenants: it has SELECT on the table steward.audit_events, not just on its columns.';

CREATE FUNCTION steward_internal.audit_shows_support(internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_shows_support';
COMMENT ON FUNCTION steward_internal.audit_shows_support(internal) IS
'Has the planner find out once what the current role may read where audit_shows() or audit_shows_name() is called.';

-- One policy for both kinds of readers that the planner can use an index for, which it cannot for an OR.
CREATE FUNCTION steward_internal.audit_shows(tenant text) RETURNS boolean
LANGUAGE C STABLE PARALLEL SAFE COST 1 SUPPORT steward_internal.audit_shows_support AS 'MODULE_PATHNAME', 'steward_audit_shows';
COMMENT ON FUNCTION steward_internal.audit_shows(text) IS
'Returns whether the audit log shows the current role what was recorded for a tenant.';

CREATE FUNCTION steward_internal.audit_shows_name(relation_id oid, table_schema name, table_name name) RETURNS boolean
LANGUAGE C STABLE STRICT PARALLEL SAFE SUPPORT steward_internal.audit_shows_support AS 'MODULE_PATHNAME', 'steward_audit_shows_name';
COMMENT ON FUNCTION steward_internal.audit_shows_name(oid, name, name) IS
'Returns whether the audit log shows the current role the name of a table whatever its events: it is the present one, which the catalog shows to everybody.';

-- What readers ask for by names that the log does not store.  Each partition has statistics of the results, so that the
-- planner knows how many events are UPDATEs, and how many of them changed a column.
CREATE FUNCTION steward_internal.audit_operation(operation "char") RETURNS text
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_operation';
COMMENT ON FUNCTION steward_internal.audit_operation("char") IS
'Returns the name of an operation in the audit log: INSERT, UPDATE, DELETE or TRUNCATE.';

CREATE FUNCTION steward_internal.audit_changed_columns(operation "char", old_values jsonb, new_values jsonb) RETURNS text[]
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5 AS 'MODULE_PATHNAME', 'steward_audit_changed_columns';
COMMENT ON FUNCTION steward_internal.audit_changed_columns("char", jsonb, jsonb) IS
'Returns the names of the columns that an event of the audit log changed; null unless it is of an UPDATE, and if nothing but the key was recorded.';

-- Each partition has indexes of its own.  Were they the parent's, a dump could not be
-- restored: ATTACH PARTITION would create what the dump is about to create.
CREATE FUNCTION steward_internal.audit_lacks(log_table regclass, OUT relation regclass, OUT what text, OUT command text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid::regclass, l.what, format(l.command, format('%I.%I', n.nspname, c.relname))
      FROM (VALUES ('steward.audit_tables'::regclass::oid), ('steward.audit_contexts'::regclass), ('steward.audit_events'::regclass)
             UNION
            SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = 'steward.audit_events'::regclass
             UNION
            -- a partition that is yet to be attached
            SELECT log_table) AS t(oid)
      JOIN pg_class c ON c.oid = t.oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_trigger g ON g.tgrelid = c.oid AND g.tgname = 'steward_guard'
      LEFT JOIN pg_trigger r ON r.tgrelid = c.oid AND r.tgname = 'steward_restore'
     CROSS JOIN LATERAL (
           VALUES (1, 'guard', g.oid IS NULL,
                   'CREATE TRIGGER steward_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION steward_internal.audit_guard_trigger()'),
                  (2, 'guard', g.tgenabled IS DISTINCT FROM 'A', 'ALTER TABLE %s ENABLE ALWAYS TRIGGER steward_guard'),
                  -- without a policy nobody but the owner reads anything
                  (3, 'row security', NOT c.relrowsecurity, 'ALTER TABLE %s ENABLE ROW LEVEL SECURITY'),
                  (4, 'policy', c.relname LIKE 'audit\_events%'
                      AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'steward_readers'),
                   'CREATE POLICY steward_readers ON %s FOR SELECT USING (steward_internal.audit_shows(tenant_id))'),
                  -- partitions get clones of it; the audit trigger writes below it
                  (5, 'restore trigger', c.relname = 'audit_events' AND r.oid IS NULL,
                   'CREATE TRIGGER steward_restore BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION steward_internal.audit_restore_trigger()'),
                  (6, 'restore trigger', r.tgenabled IN ('D', 'R'), 'ALTER TABLE ONLY %s ENABLE TRIGGER steward_restore')
            UNION ALL
           SELECT 7, 'index', c.relname LIKE 'audit\_events\_%'
                  AND NOT EXISTS (SELECT FROM pg_index i
                                   WHERE i.indrelid = c.oid AND i.indisvalid AND right(pg_get_indexdef(i.indexrelid), length(v.definition)) = v.definition),
                  'CREATE INDEX ON %s ' || v.definition
             FROM (VALUES  -- as pg_get_indexdef() prints them
                  -- a row's history, also under a key it has no longer
                  ('USING btree (key_hash)'),
                  ('USING btree (old_key_hash) WHERE (old_key_hash IS NOT NULL)'),
                  -- a tenant's events, the newest first
                  ('USING btree (tenant_id, recorded_at) WHERE (tenant_id IS NOT NULL)'),
                  -- VACUUM and audit_maintain() summarize it; autosummarize would fill the server's log
                  ('USING brin (recorded_at, transaction_id steward_internal.xid8_minmax_ops)')) AS v(definition)
            UNION ALL
           SELECT 8, 'statistics', c.relname LIKE 'audit\_events\_%'
                  AND NOT EXISTS (SELECT FROM pg_statistic_ext s
                                   WHERE s.stxrelid = c.oid AND pg_get_statisticsobjdef_expressions(s.oid) = ARRAY[v.expression]),
                  format('CREATE STATISTICS steward.%I ON (%s) FROM %%s', c.relname || v.suffix || c.oid, v.expression)
             FROM (VALUES  -- as pg_get_statisticsobjdef_expressions() prints them; a renamed table keeps their names
                  ('_operation_', 'steward_internal.audit_operation(operation)'),
                  ('_changed_', 'steward_internal.audit_changed_columns(operation, old_values, new_values)')) AS v(suffix, expression)
            UNION ALL
           -- how many of the newest events are in no summary yet, and so read whenever the newest are asked for
           SELECT 9, 'setting', c.relname LIKE 'audit\_events\_%' AND NOT coalesce(array_to_string(c.reloptions, ' ') LIKE '%autovacuum\_vacuum\_insert\_%', false),
                  'ALTER TABLE %s SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000)'
            ) AS l(place, what, lacking, command)
     WHERE l.lacking AND (log_table IS NULL OR c.oid = log_table)
     ORDER BY c.relname, l.place, l.command COLLATE "C";
END;
COMMENT ON FUNCTION steward_internal.audit_lacks(regclass) IS
'Returns what a table of the audit log, or for null each of them, lacks of its triggers, row security, policy, indexes, statistics and settings, and the commands that bring it.';

CREATE FUNCTION steward_internal.audit_equip(log_table regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
BEGIN
    FOR command IN SELECT l.command FROM steward_internal.audit_lacks(log_table) l LOOP
        EXECUTE command;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward_internal.audit_equip(regclass) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_equip(regclass) IS
'Gives a table of the audit log, or for null each of them, the triggers, the row security, the policy, the indexes, the statistics and the settings that it lacks.';

CREATE TABLE steward.audit_events_default PARTITION OF steward.audit_events DEFAULT;
-- audit_maintain() deletes from it, which a publication of all tables allows only so
ALTER TABLE steward.audit_events_default REPLICA IDENTITY FULL;
SELECT pg_extension_config_dump('steward.audit_events_default', '');
COMMENT ON TABLE steward.audit_events_default IS
'Takes the events that no other partition takes, so that a write never fails for want of one; audit_maintain() moves them on.';

SELECT steward_internal.audit_equip(NULL);

CREATE FUNCTION steward_internal.audit_leave_last_range(log_partition regclass) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    SELECT brin_desummarize_range(i.indexrelid, greatest(pg_relation_size(log_partition) / current_setting('block_size')::integer - 1, 0))
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid
      JOIN pg_am a ON a.oid = c.relam AND a.amname = 'brin'
     WHERE i.indrelid = log_partition
$$;
REVOKE ALL ON FUNCTION steward_internal.audit_leave_last_range(regclass) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_leave_last_range(regclass) IS
'Takes the last blocks of a partition out of its block range index: each event that comes into a summarized range would change the summary, on a page that all sessions write.';
SELECT steward_internal.audit_leave_last_range('steward.audit_events_default');

CREATE POLICY steward_readers ON steward.audit_contexts FOR SELECT
    USING (steward_internal.audit_shows(CASE WHEN tenant_verified THEN tenant_id END));
-- names that the catalog shows to everybody, and those of tables in whose events the role finds them
CREATE POLICY steward_readers ON steward.audit_tables FOR SELECT
    USING (steward_internal.audit_shows_name(relation_id, table_schema, table_name)
           OR table_id IN (SELECT e.table_id FROM steward.audit_events e));

CREATE FUNCTION steward_internal.audit_protect() RETURNS event_trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'steward_audit_protect';
REVOKE ALL ON FUNCTION steward_internal.audit_protect() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.audit_protect() IS
'Loads the library before a DROP, so that it can refuse to drop an audit log that holds events.';

CREATE EVENT TRIGGER steward_audit_protect ON ddl_command_start
    WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP TABLE', 'DROP OWNED')
    EXECUTE FUNCTION steward_internal.audit_protect();
ALTER EVENT TRIGGER steward_audit_protect ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER steward_audit_protect IS
'Keeps an audit log that holds events from being dropped.';
