-- audit_search: the events of a table, a time, a user, a change, or a request.

CREATE FUNCTION steward_internal.audit_contains_support(internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_audit_contains_support';
COMMENT ON FUNCTION steward_internal.audit_contains_support(internal) IS
'Has the planner use for audit_contains() the indexes and estimates of @>.';

CREATE FUNCTION steward_internal.audit_contains(whole jsonb, part jsonb) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE SUPPORT steward_internal.audit_contains_support AS 'MODULE_PATHNAME', 'steward_audit_contains';
COMMENT ON FUNCTION steward_internal.audit_contains(jsonb, jsonb) IS
'Returns what whole @> part says, with its index under row security.';

-- Has no SET clause, so that the planner takes in its query: it leaves out conditions of which the argument is null, and sees
-- the ORDER BY and LIMIT around it.  A body in BEGIN ATOMIC has no names left to look up.
CREATE FUNCTION steward.audit_search(
    relation       regclass    DEFAULT NULL,
    since          timestamptz DEFAULT NULL,
    until          timestamptz DEFAULT NULL,
    user_id        text        DEFAULT NULL,
    operation      text        DEFAULT NULL,
    changed_column text        DEFAULT NULL,
    new_value      text        DEFAULT NULL,
    context        jsonb       DEFAULT NULL)
RETURNS SETOF steward.audit_log
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.transaction_id, e.seq, e.table_schema, e.table_name, e.record_id, e.operation, e.old_values, e.new_values,
           e.changed_columns, e.changed_by, e.user_id, e.tenant_id, e.ip_address, e.application_name, e.context, e.created_at, e.event_id
      FROM steward.audit_entries e
     WHERE (relation IS NULL OR e.table_id = ANY (ARRAY(SELECT steward_internal.audit_table_ids(relation))))
       -- not known to be null or not before the query runs, where it is now() - interval '7 days'
       AND e.created_at >= coalesce(since, '-infinity') AND e.created_at < coalesce(until, 'infinity')
       AND (audit_search.operation IS NULL OR e.operation = audit_search.operation)
       AND (changed_column IS NULL OR changed_column = ANY (e.changed_columns))
       AND (new_value IS NULL
            OR CASE WHEN changed_column IS NULL THEN EXISTS (SELECT FROM jsonb_each_text(e.new_values) v WHERE v.value = new_value)
                    ELSE e.new_values ->> changed_column = new_value END)
       AND (audit_search.user_id IS NULL OR e.user_id = audit_search.user_id)
       -- of the log only what can be theirs: a context serves for a day; an hour more, for clocks that are set back
       AND (audit_search.context IS NULL
            OR steward_internal.audit_contains(e.context, audit_search.context)
               AND e.created_at >= (SELECT min(c.created_at) - interval '1 hour' FROM steward.audit_contexts c WHERE steward_internal.audit_contains(c.context, audit_search.context))
               AND e.created_at < (SELECT max(c.created_at) + interval '25 hours' FROM steward.audit_contexts c WHERE steward_internal.audit_contains(c.context, audit_search.context)));
END;
COMMENT ON FUNCTION steward.audit_search(regclass, timestamptz, timestamptz, text, text, text, text, jsonb) IS
'Returns the events of the audit log that fit all arguments that are not null, in no order: of a table, from since on and before until, of a user, an operation, a column that an UPDATE changed, a value that came, what the application set in steward.context.';
