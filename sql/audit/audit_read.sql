-- audit_read: what the log writes, and how it is read.

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

CREATE FUNCTION steward_internal.audit_column_options() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN '{exclude,include,redact}'::text[];
COMMENT ON FUNCTION steward_internal.audit_column_options() IS
'Returns the options of an audit trigger that name columns, in the order in which audit_enable() takes them.';

CREATE FUNCTION steward_internal.audit_named_columns(arguments bytea) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT n.name FROM unnest(steward_internal.audit_column_options()) o(option)
              CROSS JOIN LATERAL unnest(steward_internal.audit_option_values(arguments, o.option)) n(name));
COMMENT ON FUNCTION steward_internal.audit_named_columns(bytea) IS
'Returns the columns that the arguments of an audit trigger name.';

CREATE FUNCTION steward_internal.audit_unknown_columns(relation oid, arguments bytea) RETURNS text[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT n.name FROM unnest(steward_internal.audit_named_columns(arguments)) n(name)
              WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped));
COMMENT ON FUNCTION steward_internal.audit_unknown_columns(oid, bytea) IS
'Returns the columns that the arguments of an audit trigger name and its table lacks.';

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
       e.record_key, e.context_id, e.table_id, e.key_hash, e.old_key_hash, c.era, c.session_user_name, c.origin, c.user_verified, c.tenant_verified,
       -- a context belongs to one session of one cluster, where transaction ids do not come again
       e.context_id::text || '-' || e.transaction_id::text || '-' || e.seq::text AS event_id
  FROM steward.audit_events e
  LEFT JOIN steward.audit_contexts c ON c.context_id = e.context_id
  LEFT JOIN steward.audit_table_names t
         ON t.table_id = e.table_id AND e.recorded_at >= t.known_since AND e.recorded_at < t.known_until
 WHERE steward_internal.audit_loaded();
COMMENT ON VIEW steward.audit_entries IS
'The audit log with the columns that link it; audit_log is the view for people.';

CREATE VIEW steward.audit_log WITH (security_invoker) AS
SELECT transaction_id, seq, table_schema, table_name, record_id, operation, old_values, new_values, changed_columns,
       changed_by, user_id, tenant_id, ip_address, application_name, context, created_at, event_id
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
COMMENT ON COLUMN steward.audit_log.event_id IS 'Key of the event, for programs that want one in a single column; made when it is read, so no index finds it.';

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
