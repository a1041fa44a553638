-- admin: a role that administers pg_steward in a database without being a superuser.

-- What others run or believe is not in it: health_queries and metrics hold queries that other roles execute, tenant_sign()
-- makes tokens that other databases of the cluster accept.
-- Its text is not parsed before it runs: constants of type regclass[] are no dependencies, so that a dump would put the
-- function before the tables.
CREATE FUNCTION steward_internal.admin_grants(OUT kind text, OUT object text, OUT privileges text[], OUT acl aclitem[]) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'TABLE', format('%I.%I', n.nspname, c.relname), t.privileges, c.relacl
      FROM (SELECT unnest('{steward.audit_log,steward.audit_entries,steward.audit_table_names,steward.audit_events,steward.audit_contexts,steward.audit_tables,
                            steward.audit_coverage,steward.audit_partitions}'::regclass[]) AS relation, '{SELECT}'::text[] AS privileges
             UNION ALL
            SELECT i.inhrelid, '{SELECT}' FROM pg_inherits i WHERE i.inhparent = 'steward.audit_events'::regclass
             UNION ALL
            SELECT unnest('{steward.tenants,steward.tenant_migrations,steward.muted_findings,steward.health_thresholds,
                            steward.snapshots,steward.snapshot_sources,steward.snapshot_objects,steward.snapshot_rows}'::regclass[]),
                   '{SELECT,INSERT,UPDATE,DELETE}') AS t
      JOIN pg_class c ON c.oid = t.relation
      JOIN pg_namespace n ON n.oid = c.relnamespace
     UNION ALL
    SELECT 'FUNCTION', f::text, '{EXECUTE}', p.proacl
      FROM unnest(ARRAY['steward.audit_maintain()', 'steward.schedule()', 'steward.tenant_set(text, text, jsonb)', 'steward.tenant_schema_use(text, name[])',
                        'steward.tenant_verify(text)', 'steward.snapshot(integer)',
                        'steward_internal.snapshot_take(bigint, text, text, text, integer)']::regprocedure[]) f
      JOIN pg_proc p ON p.oid = f
$$;
COMMENT ON FUNCTION steward_internal.admin_grants() IS
'Returns what an administrator who is no superuser may use, and what has been granted on it.';

CREATE FUNCTION steward.grant_admin(role_name name, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.check_roles(ARRAY[role_name]);
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(
        SELECT format('GRANT %s ON %s %s TO %I WITH GRANT OPTION', array_to_string(g.privileges, ', '), g.kind, g.object, role_name)
          FROM steward_internal.admin_grants() g
         WHERE NOT g.privileges <@ ARRAY(SELECT x.privilege_type FROM aclexplode(g.acl) x
                                          WHERE x.grantee = quote_ident(role_name)::regrole AND x.is_grantable)
         ORDER BY g.kind, g.object COLLATE "C"), dry_run);
END $$;
REVOKE ALL ON FUNCTION steward.grant_admin(name, boolean) FROM PUBLIC;
COMMENT ON FUNCTION steward.grant_admin(name, boolean) IS
'Lets a role read the audit log, keep it up, administer tenants and monitoring, and grant the same to others; returns the commands it ran, or would run.';

CREATE FUNCTION steward.revoke_admin(role_name name, cascade boolean DEFAULT false, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.check_roles(ARRAY[role_name]);
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(
        SELECT format('REVOKE ALL ON %s %s FROM %I%s', g.kind, g.object, role_name, CASE WHEN cascade THEN ' CASCADE' END)
          FROM steward_internal.admin_grants() g
         WHERE EXISTS (SELECT FROM aclexplode(g.acl) x WHERE x.grantee = quote_ident(role_name)::regrole)
         ORDER BY g.kind, g.object COLLATE "C"), dry_run);
END $$;
REVOKE ALL ON FUNCTION steward.revoke_admin(name, boolean, boolean) FROM PUBLIC;
COMMENT ON FUNCTION steward.revoke_admin(name, boolean, boolean) IS
'Takes from a role what grant_admin() granted it, and with cascade from the roles that it has granted it to in turn; returns the commands it ran, or would run.';
