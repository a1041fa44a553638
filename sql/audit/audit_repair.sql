-- audit_repair: triggers that a restore or ALTER TABLE … ENABLE TRIGGER ALL has left in another state than they had.

CREATE FUNCTION steward.audit_repair(relation regclass DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- the log is mended by its owner only, of the tables those of the current role
    log_owner constant boolean := (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = 'steward.audit_events'::regclass);
    commands text[];
BEGIN
    IF relation IS NOT NULL THEN
        PERFORM steward_internal.check_owner(m.member) FROM steward_internal.table_members(relation) m;
    END IF;
    commands := ARRAY(
        SELECT l.command FROM steward_internal.audit_lacks(NULL) l WHERE audit_repair.relation IS NULL AND log_owner);
    commands := commands || ARRAY(
        SELECT format('ALTER TABLE ONLY %I.%I ENABLE ALWAYS TRIGGER %I', n.nspname, c.relname, t.trigger_name)
          FROM steward_internal.audit_triggers t
          JOIN pg_class c ON c.oid = t.relation_id
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE t.kind <> 'wrong' AND t.enabled <> 'A'
           AND CASE WHEN relation IS NULL THEN pg_has_role(c.relowner, 'USAGE')
                    ELSE t.relation_id IN (SELECT m.member FROM steward_internal.table_members(relation) m) END
         ORDER BY n.nspname, c.relname, t.trigger_name);
    RETURN QUERY SELECT * FROM steward_internal.run_commands(commands, dry_run);
END $$;
COMMENT ON FUNCTION steward.audit_repair(regclass, boolean) IS
'Has audit triggers, of one table or of all that the caller owns, fire always again, and gives the log what it lacks of triggers, row security, policies, indexes and statistics; returns the commands it ran, or would run.';
