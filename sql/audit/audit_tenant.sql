-- audit_tenant: roles that read in the audit log what was recorded for their tenant.

-- What such a role needs.  Of audit_events it gets the columns and not the table, which is how audit_reads_all()
-- tells it from roles that read everything; grants, other than policies, are in the dump of an extension's tables.
CREATE FUNCTION steward_internal.audit_tenant_grants(OUT relation regclass, OUT columns name[]) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.relation, v.columns
      FROM (VALUES ('steward.audit_log'::regclass, NULL::name[]),
                   ('steward.audit_entries', NULL),
                   ('steward.audit_table_names', NULL),
                   ('steward.audit_tables', NULL),
                   ('steward.audit_events', (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                                             WHERE a.attrelid = 'steward.audit_events'::regclass AND a.attnum > 0 AND NOT a.attisdropped)),
                   ('steward.audit_contexts', '{context_id,era,created_at,session_user_name,role_name,user_id,user_verified,tenant_id,tenant_verified,client_ip,client_addr,application_name,origin,context}')
           ) AS v(relation, columns);
END;
COMMENT ON FUNCTION steward_internal.audit_tenant_grants() IS
'Returns the tables and columns that a role must be able to SELECT to read the history of its tenant.';

CREATE FUNCTION steward_internal.audit_tenant_commands(template text, role_name name, wanted boolean) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH present AS (
        SELECT g.relation, g.columns,
               CASE WHEN g.columns IS NULL THEN
                   EXISTS (SELECT FROM pg_class c CROSS JOIN aclexplode(c.relacl) x
                            WHERE c.oid = g.relation AND x.grantee = r.oid AND x.privilege_type = 'SELECT')::integer
               ELSE
                   (SELECT count(DISTINCT a.attnum) FROM pg_attribute a CROSS JOIN aclexplode(a.attacl) x
                     WHERE a.attrelid = g.relation AND a.attname = ANY (g.columns) AND x.grantee = r.oid AND x.privilege_type = 'SELECT')
               END AS granted
          FROM pg_roles r
         CROSS JOIN steward_internal.audit_tenant_grants() g
         WHERE r.rolname = role_name
    )
    SELECT format(template,
                  '(' || (SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.place) FROM unnest(p.columns) WITH ORDINALITY c(name, place)) || ') ',
                  p.relation::text, role_name)
      FROM present p
      JOIN pg_class c ON c.oid = p.relation
     WHERE CASE WHEN wanted THEN p.granted < coalesce(cardinality(p.columns), 1) ELSE p.granted > 0 END
     ORDER BY c.relname COLLATE "C";
END;
COMMENT ON FUNCTION steward_internal.audit_tenant_commands(text, name, boolean) IS
'Returns the commands that grant a role what it lacks to read the history of its tenant, or revoke what it has.';

CREATE FUNCTION steward_internal.audit_check_admin() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT has_table_privilege('steward.audit_events', 'SELECT WITH GRANT OPTION') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('role "%s" may not grant SELECT on the audit log', current_user),
            HINT = format('As a superuser, run: SELECT steward.grant_admin(%L);', current_user);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.audit_check_admin() IS
'Raises 42501 unless the current role may let others read the audit log.';

CREATE FUNCTION steward.audit_tenant_enable(role_name name, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found pg_roles;
BEGIN
    PERFORM steward_internal.audit_check_admin();
    PERFORM steward_internal.check_roles(ARRAY[role_name]);
    SELECT * INTO found FROM pg_roles r WHERE r.rolname = role_name;
    IF found.rolsuper OR found.rolbypassrls OR has_table_privilege(found.oid, 'steward.audit_events', 'SELECT') THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('role "%s" reads the history of all tenants', role_name),
            HINT = CASE WHEN found.rolsuper OR found.rolbypassrls THEN format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS;', role_name)
                        ELSE coalesce((SELECT string_agg(CASE x.grantee WHEN 0 THEN 'REVOKE SELECT ON steward.audit_events FROM PUBLIC;'
                                                              WHEN found.oid THEN format('REVOKE SELECT ON steward.audit_events FROM %I;', role_name)
                                                              ELSE format('REVOKE %I FROM %I;', pg_get_userbyid(x.grantee), role_name) END, ' ' ORDER BY x.grantee)
                                         FROM pg_class c CROSS JOIN aclexplode(c.relacl) x
                                        WHERE c.oid = 'steward.audit_events'::regclass AND x.privilege_type = 'SELECT'
                                          AND CASE x.grantee WHEN 0 THEN true ELSE pg_has_role(found.oid, x.grantee, 'USAGE') END),
                                      format('REVOKE pg_read_all_data FROM %I;', role_name)) END;
    END IF;
    RETURN QUERY SELECT * FROM steward_internal.run_commands(
        ARRAY(SELECT steward_internal.audit_tenant_commands('GRANT SELECT %sON %s TO %I', role_name, true)), dry_run);
END $$;
COMMENT ON FUNCTION steward.audit_tenant_enable(name, boolean) IS
'Lets a role read in the audit log what was recorded for the tenant that its transaction works for; returns the commands it ran, or would run.';

CREATE FUNCTION steward.audit_tenant_disable(role_name name, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    grantor name;
BEGIN
    PERFORM steward_internal.audit_check_admin();
    PERFORM steward_internal.check_roles(ARRAY[role_name]);
    RETURN QUERY SELECT * FROM steward_internal.run_commands(
        ARRAY(SELECT steward_internal.audit_tenant_commands('REVOKE SELECT %sON %s FROM %I', role_name, false)), dry_run);
    IF NOT dry_run THEN
        grantor := (SELECT min(pg_get_userbyid(x.grantor) COLLATE "C")
                      FROM steward_internal.audit_tenant_grants() g
                     CROSS JOIN LATERAL (SELECT c.relacl AS acl FROM pg_class c WHERE c.oid = g.relation
                                          UNION ALL
                                         SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = g.relation) o
                     CROSS JOIN aclexplode(o.acl) x
                     WHERE x.grantee = quote_ident(role_name)::regrole);
        IF grantor IS NOT NULL THEN
            RAISE WARNING USING
                MESSAGE = format('role "%s" still has privileges on the audit log, which role "%s" has granted', role_name, grantor),
                HINT = format('SET ROLE %I; SELECT steward.audit_tenant_disable(%L);', grantor, role_name);
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION steward.audit_tenant_disable(name, boolean) IS
'Takes from a role what audit_tenant_enable() granted it; returns the commands it ran, or would run.';
