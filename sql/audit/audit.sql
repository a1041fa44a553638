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
    key_columns  jsonb       NOT NULL
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

--
-- What the log writes, for those who read it
--

CREATE FUNCTION steward_internal.audit_check(relation regclass) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'steward_audit_check';
COMMENT ON FUNCTION steward_internal.audit_check(regclass) IS
'Raises the error that the audit trigger of a table would raise when it fires.';

CREATE FUNCTION steward_internal.audit_identity(relation regclass) RETURNS regclass
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'steward_audit_identity';
COMMENT ON FUNCTION steward_internal.audit_identity(regclass) IS
'Returns the table under which the audit log records the rows of a table: for a partition, its topmost ancestor with a primary key.';

CREATE FUNCTION steward_internal.audit_table_id(relation regclass) RETURNS bigint
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_table_id';
COMMENT ON FUNCTION steward_internal.audit_table_id(regclass) IS
'Returns the id under which this database''s audit log knows a table.';

CREATE FUNCTION steward_internal.audit_option_values(arguments bytea, option text) RETURNS text[]
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_option_values';
COMMENT ON FUNCTION steward_internal.audit_option_values(bytea, text) IS
'Returns what the arguments of an audit trigger, from pg_trigger.tgargs, say for one option.';

CREATE FUNCTION steward_internal.audit_record_key(relation regclass, key text[]) RETURNS jsonb
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'steward_audit_record_key';
COMMENT ON FUNCTION steward_internal.audit_record_key(regclass, text[]) IS
'Returns the key of a row as the audit log writes it, from the values of the primary key in its order.';

CREATE FUNCTION steward_internal.audit_key_columns(relation regclass) RETURNS jsonb
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'steward_audit_key_columns';
COMMENT ON FUNCTION steward_internal.audit_key_columns(regclass) IS
'Returns the columns of the key that a table''s rows have now, as steward.audit_tables keeps them.';

CREATE FUNCTION steward_internal.audit_key_value(name text, value text, type text, redacted boolean) RETURNS jsonb
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'steward_audit_key_value';
COMMENT ON FUNCTION steward_internal.audit_key_value(text, text, text, boolean) IS
'Returns what the audit log writes of one column of a key, from its value as text.';

CREATE FUNCTION steward_internal.audit_key_hash(table_id bigint, record_key jsonb) RETURNS bigint
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_key_hash';
COMMENT ON FUNCTION steward_internal.audit_key_hash(bigint, jsonb) IS
'Returns the hash under which the audit log''s index has the key of a row.';

CREATE FUNCTION steward_internal.audit_record_id(record_key jsonb) RETURNS text
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_record_id';
COMMENT ON FUNCTION steward_internal.audit_record_id(jsonb) IS
'Returns the key of a row as one reads it: the value of a key of one column, the JSON object otherwise.';

--
-- Reading
--

CREATE FUNCTION steward_internal.audit_loaded() RETURNS boolean
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_loaded';
COMMENT ON FUNCTION steward_internal.audit_loaded() IS
'Returns true; the planner calls it, and so has the library, which knows how to read the audit log in the order of time.';

-- Each name of a table, and the time in which the log used it.  The first one
-- reaches back for ever, so that no event stays without a name.
CREATE VIEW steward.audit_table_names WITH (security_invoker) AS
SELECT table_id, era, database_id, relation_id, table_schema, table_name, key_columns,
       CASE WHEN lag(known_since) OVER names IS NULL THEN '-infinity' ELSE known_since END AS known_since,
       coalesce(lead(known_since) OVER names, 'infinity') AS known_until
  FROM steward.audit_tables
WINDOW names AS (PARTITION BY table_id ORDER BY known_since, table_schema, table_name);
COMMENT ON VIEW steward.audit_table_names IS
'The names and keys of audited tables, with the time in which they held.';

CREATE VIEW steward.audit_entries WITH (security_invoker) AS
SELECT e.transaction_id, e.seq, t.table_schema, t.table_name,
       steward_internal.audit_record_id(e.record_key) AS record_id,
       steward_internal.audit_operation(e.operation) AS operation, e.old_values, e.new_values,
       steward_internal.audit_changed_columns(e.operation, e.old_values, e.new_values) AS changed_columns,
       c.role_name AS changed_by, c.user_id, c.tenant_id,
       coalesce(c.client_ip, c.client_addr) AS ip_address,
       c.application_name, c.context, e.recorded_at AS created_at,
       e.record_key, e.context_id, e.table_id, e.key_hash, e.old_key_hash, c.era, c.session_user_name, c.origin, c.user_verified, c.tenant_verified
  FROM steward.audit_events e
  LEFT JOIN steward.audit_contexts c ON c.context_id = e.context_id
  LEFT JOIN steward.audit_table_names t
         ON t.table_id = e.table_id AND e.recorded_at >= t.known_since AND e.recorded_at < t.known_until
 WHERE steward_internal.audit_loaded();
COMMENT ON VIEW steward.audit_entries IS
'The audit log with the columns that link it; audit_log is the view for people.';

CREATE VIEW steward.audit_log WITH (security_invoker) AS
SELECT transaction_id, seq, table_schema, table_name, record_id, operation, old_values, new_values, changed_columns,
       changed_by, user_id, tenant_id, ip_address, application_name, context, created_at
  FROM steward.audit_entries;
COMMENT ON VIEW steward.audit_log IS
'The audit log: one row for each row change and each TRUNCATE, with who did it.';
COMMENT ON COLUMN steward.audit_log.transaction_id IS 'Transaction, as pg_current_xact_id() returns it.';
COMMENT ON COLUMN steward.audit_log.seq IS 'Number of the change in its transaction.';
COMMENT ON COLUMN steward.audit_log.table_name IS 'Name the table had at the time; partitions count as their root.';
COMMENT ON COLUMN steward.audit_log.record_id IS 'Key of the row: its value, or a JSON object if it has several columns.';
COMMENT ON COLUMN steward.audit_log.operation IS 'INSERT, UPDATE, DELETE or TRUNCATE.';
COMMENT ON COLUMN steward.audit_log.old_values IS 'What was there: the row for DELETE, the changed columns for UPDATE.';
COMMENT ON COLUMN steward.audit_log.new_values IS 'What came: the row for INSERT, the changed columns for UPDATE.';
COMMENT ON COLUMN steward.audit_log.changed_columns IS 'Columns that an UPDATE changed.';
COMMENT ON COLUMN steward.audit_log.changed_by IS 'Role that made the change, after SET ROLE.';
COMMENT ON COLUMN steward.audit_log.user_id IS 'Application user: app.current_user_id, or what steward.audit_user_setting names.';
COMMENT ON COLUMN steward.audit_log.tenant_id IS 'Tenant: app.tenant_id, or what steward.audit_tenant_setting names.';
COMMENT ON COLUMN steward.audit_log.ip_address IS 'Client address: app.client_ip if set, else that of the connection.';
COMMENT ON COLUMN steward.audit_log.context IS 'What the application set in steward.context.';
COMMENT ON COLUMN steward.audit_log.created_at IS 'Clock time of the change.';

CREATE FUNCTION steward_internal.audit_put_texts(base anyelement, row_values jsonb) RETURNS anyelement
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_put_texts';
COMMENT ON FUNCTION steward_internal.audit_put_texts(anyelement, jsonb) IS
'Returns a row with the values of those columns whose texts stand under the key "" of what the audit log recorded.';

-- No setting may change what the texts mean: lc_monetary does that to money.
CREATE FUNCTION steward.audit_row(base anyelement, row_values jsonb) RETURNS anyelement
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp SET lc_monetary = 'C' SET xmloption = content
AS $$
    SELECT steward_internal.audit_put_texts(jsonb_populate_record(base, row_values), row_values)
$$;
COMMENT ON FUNCTION steward.audit_row(anyelement, jsonb) IS
'Returns the row that old_values or new_values of the audit log say, with the columns that they lack from base: audit_row(NULL::orders, new_values).';

--
-- Attaching
--

-- The bits of tgtype: 1 for each row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate, 64 instead of.
CREATE VIEW steward_internal.audit_triggers AS
SELECT t.tgrelid AS relation_id, t.tgname AS trigger_name,
       CASE WHEN (t.tgtype & 67) = 1 THEN 'row'
            WHEN (t.tgtype & 127) = 32 THEN 'truncate'
            ELSE 'wrong' END AS kind,
       (t.tgtype & 28) = 28 AND t.tgqual IS NULL AND t.tgattr = '' AS every_change,
       t.tgenabled AS enabled, t.tgparentid <> 0 AS is_clone, t.tgargs AS arguments
  FROM pg_trigger t
 WHERE t.tgfoid = 'steward.audit_trigger'::regproc;
COMMENT ON VIEW steward_internal.audit_triggers IS
'The audit triggers of this database: row and truncate triggers, and those attached so that they cannot work.';
GRANT SELECT ON steward_internal.audit_triggers TO PUBLIC;

CREATE FUNCTION steward_internal.audit_check_root(relation regclass, hint text) RETURNS void
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    root constant regclass := (
        SELECT a.relid
          FROM pg_partition_ancestors(relation) a
          JOIN steward_internal.audit_triggers t ON t.relation_id = a.relid AND t.kind = 'row' AND NOT t.is_clone
         WHERE a.relid <> relation
         LIMIT 1);
BEGIN
    IF root IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('partition %s is audited with its partitioned table %s', relation, root),
            HINT = format(hint, root);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.audit_check_root(regclass, text) IS
'Raises 55000 if a partition has its audit trigger from a partitioned table above it.';

CREATE FUNCTION steward.audit_enable(
    relation regclass,
    exclude  name[]  DEFAULT '{}',
    include  name[]  DEFAULT '{}',
    redact   name[]  DEFAULT '{}',
    capture  text    DEFAULT 'changes',
    always   boolean DEFAULT true,
    dry_run  boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    arguments constant text[] := ARRAY(
        SELECT o.option || '=' || o.value
          FROM (VALUES (1, 'exclude', (SELECT string_agg(quote_ident(c), ',') FROM unnest(exclude) c)),
                       (2, 'include', (SELECT string_agg(quote_ident(c), ',') FROM unnest(include) c)),
                       (3, 'redact',  (SELECT string_agg(quote_ident(c), ',') FROM unnest(redact) c)),
                       (4, 'capture', nullif(capture, 'changes'))) AS o(place, option, value)
         WHERE o.value IS NOT NULL
         ORDER BY o.place);
    argument_list constant text := (SELECT string_agg(quote_literal(a), ', ') FROM unnest(arguments) a);
    -- as pg_trigger keeps them: each with a zero byte behind it
    stored constant bytea := coalesce(
        (SELECT string_agg(convert_to(a.argument, getdatabaseencoding()) || '\x00'::bytea, ''::bytea ORDER BY a.place)
           FROM unnest(arguments) WITH ORDINALITY a(argument, place)), '');
    state constant "char" := CASE WHEN always THEN 'A' ELSE 'O' END;
    enable constant text := CASE WHEN always THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END;
BEGIN
    IF num_nulls(relation, exclude, include, redact, capture, always, dry_run) > 0
       OR array_position(exclude || include || redact, NULL) IS NOT NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments of steward.audit_enable() must not be null';
    END IF;
    PERFORM steward_internal.check_owner(m.member), steward_internal.audit_identity(m.member) FROM steward_internal.table_members(relation) m;
    PERFORM steward_internal.audit_check_root(relation, 'SELECT steward.audit_enable(%L);');

    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(
        WITH triggers AS MATERIALIZED (
            SELECT m.*, t.trigger_name, t.kind, t.enabled,
                   -- what stands in the way: other arguments, and what a partition has of its own
                   NOT t.is_clone AND (t.kind = 'wrong' OR t.kind = 'row' AND (m.is_partition OR t.arguments <> stored OR NOT t.every_change)) AS goes
              FROM steward_internal.table_members(relation) m
              JOIN steward_internal.audit_triggers t ON t.relation_id = m.member
        ), kept AS (
            SELECT DISTINCT ON (t.member, t.kind) t.* FROM triggers t WHERE NOT t.goes ORDER BY t.member, t.kind, t.trigger_name
        )
        SELECT c.command
          FROM (SELECT 0 AS place, t.depth, t.qualified_name, t.trigger_name::text AS detail, true AS needed,
                       format('DROP TRIGGER %I ON %s', t.trigger_name, t.qualified_name) AS command
                  FROM triggers t
                 WHERE t.goes
                 UNION ALL
                SELECT 1, m.depth, m.qualified_name, c.step::text, c.needed, c.command
                  FROM steward_internal.table_members(relation) m
                  LEFT JOIN kept r ON r.member = m.member AND r.kind = 'row'
                  LEFT JOIN kept t ON t.member = m.member AND t.kind = 'truncate'
                 CROSS JOIN LATERAL (VALUES
                       -- partitions get clones of the row trigger
                       (1, NOT m.is_partition AND r.trigger_name IS NULL,
                        format('CREATE TRIGGER steward_audit AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger(%s)',
                               m.qualified_name, argument_list)),
                       -- the root's state reaches its partitions, so that only theirs is left to mend
                       (2, coalesce(r.enabled, 'O') <> state
                           AND (NOT m.is_partition OR (SELECT bool_and(k.enabled = state) FROM triggers k
                                                        WHERE k.member = audit_enable.relation AND k.kind = 'row' AND NOT k.goes)),
                        format('ALTER TABLE %s %s TRIGGER %I', m.qualified_name, enable, coalesce(r.trigger_name, 'steward_audit'))),
                       (3, t.trigger_name IS NULL,
                        format('CREATE TRIGGER steward_audit_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION steward.audit_trigger()',
                               m.qualified_name)),
                       (4, coalesce(t.enabled, 'O') <> state,
                        format('ALTER TABLE ONLY %s %s TRIGGER %I', m.qualified_name, enable, coalesce(t.trigger_name, 'steward_audit_truncate')))
                       ) AS c(step, needed, command)) c
         WHERE c.needed
         ORDER BY c.place, c.depth, c.qualified_name COLLATE "C", c.detail COLLATE "C"), dry_run);

    -- reads the trigger's arguments as it will when it fires
    IF NOT dry_run THEN
        PERFORM steward_internal.audit_check(relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward.audit_enable(regclass, name[], name[], name[], text, boolean, boolean) IS
'Attaches the audit triggers to a table, its partitions and its inheritance children; returns the commands it ran, or would run with dry_run.';

CREATE FUNCTION steward.audit_disable(relation regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.check_owner(m.member) FROM steward_internal.table_members(relation) m;
    PERFORM steward_internal.audit_check_root(relation, 'SELECT steward.audit_disable(%L);');
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(
        SELECT format('DROP TRIGGER %I ON %s', t.trigger_name, m.qualified_name)
          FROM steward_internal.table_members(relation) m
          JOIN steward_internal.audit_triggers t ON t.relation_id = m.member AND NOT t.is_clone
         ORDER BY m.depth, m.qualified_name COLLATE "C", t.trigger_name), dry_run);
END $$;
COMMENT ON FUNCTION steward.audit_disable(regclass, boolean) IS
'Drops the audit triggers of a table, its partitions and its inheritance children; returns the commands it ran, or would run with dry_run. The log stays.';

CREATE FUNCTION steward.audit_enable_schema(
    schema  regnamespace,
    capture text    DEFAULT 'changes',
    always  boolean DEFAULT true,
    dry_run boolean DEFAULT false)
RETURNS TABLE (relation regclass, result text)
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    FOR relation IN
        SELECT c.oid::regclass
          FROM pg_class c
         WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
           AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
         ORDER BY c.relname
    LOOP
        BEGIN
            -- a table that is audited already keeps its options
            IF EXISTS (SELECT FROM steward_internal.audit_triggers t WHERE t.relation_id = relation AND t.kind = 'row') THEN
                result := 'audited already';
            ELSE
                PERFORM steward.audit_enable(relation, capture => capture, always => always, dry_run => dry_run);
                result := CASE WHEN dry_run THEN 'not audited yet' ELSE 'audited now' END;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            result := 'not audited: ' || SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.audit_enable_schema(regnamespace, text, boolean, boolean) IS
'Attaches the audit triggers to every table of a schema that has none; returns what came of it, or with dry_run would come, table by table.';

CREATE FUNCTION steward_internal.audit_enable_command(relation text, arguments bytea, without text[] DEFAULT '{}', also text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('SELECT steward.audit_enable(%L%s);', relation,
                  (SELECT string_agg(format(', %s => %L', o.option, CASE o.option WHEN 'capture' THEN v.value[1] ELSE v.value::text END), '' ORDER BY o.place)
                     FROM (VALUES (1, 'exclude'), (2, 'include'), (3, 'redact'), (4, 'capture')) AS o(place, option)
                    CROSS JOIN LATERAL (SELECT steward_internal.audit_option_values(arguments, o.option)) AS named(found)
                    CROSS JOIN LATERAL (
                          SELECT CASE o.option
                                     WHEN 'include' THEN ARRAY(SELECT f FROM unnest(named.found) f WHERE f <> ALL (without)) || also
                                     -- what is to be redacted must not come in clear text under another name
                                     WHEN 'capture' THEN CASE WHEN steward_internal.audit_option_values(arguments, 'redact') && without THEN '{key}' ELSE named.found END
                                     ELSE ARRAY(SELECT f FROM unnest(named.found) f WHERE f <> ALL (without)) END) AS v(value)
                    WHERE v.value <> '{}'));
END;
COMMENT ON FUNCTION steward_internal.audit_enable_command(text, bytea, text[], text[]) IS
'Returns the call of audit_enable() that attaches an audit trigger anew with the options it has, without some columns, or also with some.';

CREATE FUNCTION steward_internal.audit_key_command(relation regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('ALTER TABLE %I.%I REPLICA IDENTITY USING INDEX %I;', n.nspname, c.relname, x.relname)
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_index i ON i.indrelid = c.oid
      JOIN pg_class x ON x.oid = i.indexrelid
     WHERE c.oid = relation AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indexprs IS NULL AND i.indpred IS NULL
       AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull)
     ORDER BY i.indnkeyatts, x.relname COLLATE "C"
     LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.audit_key_command(regclass) IS
'Returns the command that has a unique index of a table without a primary key tell its rows apart in the audit log; null if there is none.';

CREATE VIEW steward.audit_coverage AS
WITH tables AS (
    SELECT c.oid, n.nspname AS table_schema, c.relname AS table_name, c.relkind, c.relispartition,
           format('%I.%I', n.nspname, c.relname) AS qualified_name
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
       AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
), row_triggers AS (
    SELECT t.relation_id, bool_or(t.every_change) AS every_change, string_agg(quote_ident(t.trigger_name), ', ') AS names,
           string_agg(t.arguments, '') AS arguments, bool_and(t.is_clone) AS are_clones
      FROM steward_internal.audit_triggers t
     WHERE t.kind = 'row'
     GROUP BY t.relation_id
), wrong_triggers AS (
    SELECT t.relation_id, string_agg(quote_ident(t.trigger_name), ', ') AS names, string_agg(t.arguments, '') AS arguments
      FROM steward_internal.audit_triggers t
     WHERE t.kind = 'wrong'
     GROUP BY t.relation_id
)
SELECT t.table_schema, t.table_name, f.finding, f.detail, f.remedy
  FROM tables t
  LEFT JOIN row_triggers r ON r.relation_id = t.oid
  LEFT JOIN wrong_triggers w ON w.relation_id = t.oid
  -- what the options name and the table lacks, and the other way round
 CROSS JOIN LATERAL (
       SELECT steward_internal.audit_option_values(r.arguments, 'exclude') || steward_internal.audit_option_values(r.arguments, 'include')
              || steward_internal.audit_option_values(r.arguments, 'redact')) AS o(named)
 CROSS JOIN LATERAL (
       SELECT ARRAY(SELECT n.name
                      FROM unnest(o.named) n(name)
                     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                                        WHERE a.attrelid = t.oid AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped)) AS unknown,
              ARRAY(SELECT a.attname::text
                      FROM pg_attribute a
                     -- most tables are not audited
                     WHERE r.relation_id IS NOT NULL AND a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
                       AND a.attname <> ALL (o.named)
                       AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
                     ORDER BY a.attnum) AS unnamed) AS c
 CROSS JOIN LATERAL (VALUES
       (t.relkind = 'f',
        'foreign table', 'Its rows change on another server.', NULL),
       (t.relkind <> 'f' AND r.relation_id IS NULL AND w.relation_id IS NULL,
        'not audited', 'The table has no audit trigger.',
        format('SELECT steward.audit_enable(%L);', t.qualified_name)),
       (w.relation_id IS NOT NULL,
        'trigger cannot work', format('Trigger %s is not AFTER ROW, nor AFTER TRUNCATE: it fails when it fires.', w.names),
        CASE WHEN w.relation_id IS NOT NULL THEN steward_internal.audit_enable_command(t.qualified_name, coalesce(r.arguments, w.arguments)) END),
       (r.every_change IS FALSE,
        'not every change', format('Trigger %s leaves out some operation, column or row.', r.names),
        CASE WHEN NOT r.every_change THEN steward_internal.audit_enable_command(t.qualified_name, r.arguments) END),
       (r.relation_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM steward_internal.audit_triggers s WHERE s.relation_id = t.oid AND s.kind = 'truncate'),
        'TRUNCATE not audited', CASE WHEN t.relispartition THEN 'The partition has no audit trigger for TRUNCATE: it was attached later.'
                                     ELSE 'The table has no audit trigger for TRUNCATE.' END,
        format('CREATE TRIGGER steward_audit_truncate AFTER TRUNCATE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION steward.audit_trigger(); ALTER TABLE ONLY %1$s ENABLE ALWAYS TRIGGER steward_audit_truncate;',
               t.qualified_name)),
       (r.relation_id IS NOT NULL AND NOT t.relispartition
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND (i.indisprimary OR i.indisreplident)),
        'no primary key', 'Rows are identified by a hash of their values, which changes when they do.',
        CASE WHEN r.relation_id IS NOT NULL THEN steward_internal.audit_key_command(t.oid) END),
       (cardinality(c.unknown) > 0 AND NOT r.are_clones,
        'unknown column', 'Writes fail, because the trigger names: ' || (SELECT string_agg(quote_ident(n), ', ') FROM unnest(c.unknown) n),
        CASE WHEN r.relation_id IS NOT NULL THEN steward_internal.audit_enable_command(t.qualified_name, r.arguments, without => c.unknown) END),
       (steward_internal.audit_option_values(r.arguments, 'include') <> '{}' AND NOT t.relispartition AND cardinality(c.unnamed) > 0,
        'columns left out', 'No option names: ' || (SELECT string_agg(quote_ident(n), ', ') FROM unnest(c.unnamed) n),
        CASE WHEN r.relation_id IS NOT NULL THEN steward_internal.audit_enable_command(t.qualified_name, r.arguments, also => c.unnamed) END)
        UNION ALL
       -- triggers that do not always fire
       SELECT true,
              CASE WHEN x.kind = 'truncate' THEN 'TRUNCATE not audited'
                   WHEN x.enabled = 'D' THEN 'trigger disabled'
                   WHEN x.enabled = 'R' THEN 'trigger fires in replication only'
                   ELSE 'trigger silent in replication' END,
              format(CASE x.enabled WHEN 'D' THEN 'Trigger %I does not fire.'
                                    WHEN 'R' THEN 'Trigger %I fires only under session_replication_role = replica.'
                                    ELSE 'Trigger %I does not fire under session_replication_role = replica.' END, x.trigger_name),
              format('ALTER TABLE %s%s ENABLE ALWAYS TRIGGER %I;', CASE x.kind WHEN 'truncate' THEN 'ONLY ' END,
                     t.qualified_name, x.trigger_name)
         FROM steward_internal.audit_triggers x
        WHERE x.relation_id = t.oid AND (x.kind = 'row' AND x.enabled <> 'A' OR x.kind = 'truncate' AND x.enabled = 'D')) AS f(found, finding, detail, remedy)
 WHERE f.found
 UNION ALL
SELECT n.nspname, c.relname, 'log incomplete', 'The table of the log lacks: ' || string_agg(DISTINCT l.what, ', '), 'SELECT steward.audit_repair();'
  FROM steward_internal.audit_lacks(NULL) l
  JOIN pg_class c ON c.oid = l.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace
 GROUP BY n.nspname, c.relname;
COMMENT ON VIEW steward.audit_coverage IS
'What is not audited, or not as it should be: one row for each finding, with the command that mends it.';
COMMENT ON COLUMN steward.audit_coverage.table_schema IS 'Where the table is.';
COMMENT ON COLUMN steward.audit_coverage.table_name IS 'The table.';
COMMENT ON COLUMN steward.audit_coverage.finding IS 'What is the matter.';
COMMENT ON COLUMN steward.audit_coverage.detail IS 'What that means, and for which trigger or columns.';
COMMENT ON COLUMN steward.audit_coverage.remedy IS 'The command that mends it; null if there is none.';
GRANT SELECT ON steward.audit_coverage TO pg_monitor;
