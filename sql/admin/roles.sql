-- roles: what roles that read, write or own need in some schemas, and what they have beyond that.

CREATE FUNCTION steward_internal.check_role_access(role_name name, schemas name[], access text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing name;
BEGIN
    PERFORM steward_internal.check_roles(ARRAY[role_name]);
    IF access IS NULL OR access NOT IN ('readonly', 'application', 'owner') THEN
        RAISE invalid_parameter_value USING MESSAGE = format('access must be "readonly", "application" or "owner", not "%s"', access);
    ELSIF schemas IS NULL OR cardinality(schemas) = 0 THEN
        RAISE null_value_not_allowed USING MESSAGE = 'schemas must be named';
    END IF;
    SELECT s INTO missing FROM unnest(schemas) s WHERE s IS NULL OR to_regnamespace(quote_ident(s)) IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE invalid_schema_name USING MESSAGE = format('schema "%s" does not exist', missing), HINT = format('CREATE SCHEMA %I;', missing);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.check_role_access(name, name[], text) IS
'Raises 42704, 3F000, 22004 or 22023 if there is no such role, schema or kind of access.';

-- The objects of schemas, as GRANT names them, with what the kinds of access need on each.
CREATE FUNCTION steward_internal.role_objects(schemas name[], OUT kind text, OUT object text, OUT object_id oid, OUT owner_id oid, OUT acl aclitem[],
    OUT readonly text[], OUT application text[]) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH wanted AS MATERIALIZED (
        SELECT n.* FROM pg_namespace n WHERE n.nspname = ANY (schemas)
    ), extension AS MATERIALIZED (
        SELECT * FROM steward_internal.extension_members
    )
    SELECT 'DATABASE', quote_ident(d.datname), d.oid, d.datdba, coalesce(d.datacl, acldefault('d', d.datdba)), '{CONNECT}'::text[], '{CONNECT}'::text[]
      FROM pg_database d WHERE d.datname = current_database()
     UNION ALL
    SELECT 'SCHEMA', quote_ident(n.nspname), n.oid, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner)), '{USAGE}', '{USAGE}'
      FROM wanted n
     UNION ALL
    SELECT 'TABLE', format('%I.%I', n.nspname, c.relname), c.oid, c.relowner, coalesce(c.relacl, acldefault('r', c.relowner)), '{SELECT}',
           CASE c.relkind WHEN 'm' THEN '{SELECT}' ELSE '{SELECT,INSERT,UPDATE,DELETE}' END::text[]
      FROM wanted n
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     WHERE NOT EXISTS (SELECT FROM extension e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
     UNION ALL
    SELECT 'SEQUENCE', format('%I.%I', n.nspname, c.relname), c.oid, c.relowner, coalesce(c.relacl, acldefault('s', c.relowner)), '{SELECT}', '{SELECT,USAGE}'
      FROM wanted n
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind = 'S'
     WHERE NOT EXISTS (SELECT FROM extension e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
     UNION ALL
    -- what runs with its owner's rights could write
    SELECT 'ROUTINE', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.oid, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)),
           CASE WHEN p.prosecdef THEN '{}' ELSE '{EXECUTE}' END::text[], '{EXECUTE}'
      FROM wanted n
      JOIN pg_proc p ON p.pronamespace = n.oid AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
     WHERE NOT EXISTS (SELECT FROM extension e WHERE e.class_id = 'pg_proc'::regclass AND e.object_id = p.oid);
END;
COMMENT ON FUNCTION steward_internal.role_objects(name[]) IS
'Returns the objects of schemas and what roles of each kind need on them; what belongs to extensions is left to these.';

-- Who will own what comes: the owners of what is there, and who may create it.
CREATE FUNCTION steward_internal.role_defaults(role_name name, schemas name[], access text) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT %s ON %s TO %I', pg_get_userbyid(o.owner_id), o.schema_name,
                  array_to_string(w.privileges, ', '), w.kind, role_name)
      FROM (SELECT DISTINCT n.nspname AS schema_name, n.oid AS schema_id, x.owner_id
              FROM pg_namespace n
             CROSS JOIN LATERAL (SELECT n.nspowner UNION SELECT c.relowner FROM pg_class c WHERE c.relnamespace = n.oid) x(owner_id)
             WHERE n.nspname = ANY (schemas) AND pg_has_role(x.owner_id, 'USAGE')) o
     CROSS JOIN (VALUES ('TABLES', 'r', 'readonly', '{SELECT}'::text[]), ('SEQUENCES', 'S', 'readonly', '{SELECT}'),
                        ('TABLES', 'r', 'application', '{SELECT,INSERT,UPDATE,DELETE}'), ('SEQUENCES', 'S', 'application', '{SELECT,USAGE}'),
                        ('ROUTINES', 'f', 'application', '{EXECUTE}')) w(kind, letter, access, privileges)
     WHERE w.access = role_defaults.access
       AND NOT w.privileges <@ ARRAY(SELECT a.privilege_type FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) a
                                      WHERE d.defaclrole = o.owner_id AND d.defaclnamespace = o.schema_id AND d.defaclobjtype = w.letter::"char"
                                        AND a.grantee = quote_ident(role_name)::regrole)
     ORDER BY o.schema_name, pg_get_userbyid(o.owner_id), w.kind DESC;
END;
COMMENT ON FUNCTION steward_internal.role_defaults(name, name[], text) IS
'Returns the commands after which a role has on tables to come what it has on those that are there.';

CREATE FUNCTION steward_internal.role_grants(role_name name, schemas name[], access text, OUT object text, OUT problem text, OUT command text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH objects AS MATERIALIZED (
        SELECT o.*, CASE access WHEN 'readonly' THEN o.readonly ELSE o.application END AS wanted
          FROM steward_internal.role_objects(schemas) o
    ), commands AS (
        SELECT 1 AS part, o.kind, o.object, o.owner_id, 'Everybody may write by it.' AS problem, format('REVOKE %s ON %s %s FROM PUBLIC', x.privilege_type, o.kind, o.object) AS command
          FROM objects o
         CROSS JOIN LATERAL aclexplode(o.acl) x
          LEFT JOIN pg_proc p ON o.kind = 'ROUTINE' AND p.oid = o.object_id
         WHERE x.grantee = 0 AND (o.kind = 'SCHEMA' AND x.privilege_type = 'CREATE' OR o.kind = 'DATABASE' AND x.privilege_type = 'TEMPORARY' OR p.prosecdef)
         UNION ALL
        SELECT 2, o.kind, o.object, o.owner_id, format('The role lacks %s.', array_to_string(o.wanted, ', ')),
               format('GRANT %s ON %s %s TO %I', array_to_string(o.wanted, ', '), o.kind, o.object, role_name)
          FROM objects o
         WHERE o.owner_id <> quote_ident(role_name)::regrole
           AND NOT o.wanted <@ ARRAY(SELECT x.privilege_type FROM aclexplode(o.acl) x WHERE x.grantee = quote_ident(role_name)::regrole)
    )
    SELECT s.object, s.problem, s.command
      FROM (SELECT c.part, c.kind, c.object, c.problem,
                   CASE WHEN pg_has_role(c.owner_id, 'USAGE') THEN c.command ELSE format('-- %s belongs to %I, who has to %s', c.object, pg_get_userbyid(c.owner_id), c.command) END AS command
              FROM commands c
             UNION ALL
            SELECT 3, '', NULL, 'The role lacks privileges on what comes.', d FROM steward_internal.role_defaults(role_name, schemas, access) d) s
     ORDER BY s.part, array_position('{DATABASE,SCHEMA,TABLE,SEQUENCE,ROUTINE}', s.kind), s.object COLLATE "C", s.command COLLATE "C";
END;
COMMENT ON FUNCTION steward_internal.role_grants(name, name[], text) IS
'Returns what is left to be granted to a role that reads or writes, and to be taken away from everybody.';

CREATE FUNCTION steward_internal.role_ownership(role_name name, schemas name[], OUT object text, OUT problem text, OUT command text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH wanted AS MATERIALIZED (
        SELECT n.* FROM pg_namespace n WHERE n.nspname = ANY (schemas)
    ), objects AS MATERIALIZED (
        SELECT 1 AS part, 'SCHEMA' AS kind, quote_ident(n.nspname) AS object, 'pg_namespace'::regclass AS class_id, n.oid, n.nspowner AS owner_id FROM wanted n
         UNION ALL
        -- sequences of columns go with their tables
        SELECT 2, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
               format('%I.%I', n.nspname, c.relname), 'pg_class'::regclass, c.oid, c.relowner
          FROM wanted n
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
         WHERE c.relkind <> 'S' OR NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
         UNION ALL
        SELECT 3, 'ROUTINE', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), 'pg_proc'::regclass, p.oid, p.proowner
          FROM wanted n JOIN pg_proc p ON p.pronamespace = n.oid
         UNION ALL
        SELECT 3, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, format('%I.%I', n.nspname, t.typname), 'pg_type'::regclass, t.oid, t.typowner
          FROM wanted n
          JOIN pg_type t ON t.typnamespace = n.oid
          LEFT JOIN pg_class c ON c.oid = t.typrelid
         WHERE t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c'
    )
    SELECT o.object, format('It belongs to %I.', pg_get_userbyid(o.owner_id)), format('ALTER %s %s OWNER TO %I', o.kind, o.object, role_name)
      FROM objects o
     WHERE o.owner_id <> quote_ident(role_name)::regrole
       AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = o.class_id AND e.object_id = o.oid)
     ORDER BY o.part, o.kind, o.object COLLATE "C";
END;
COMMENT ON FUNCTION steward_internal.role_ownership(name, name[]) IS
'Returns the commands after which a role owns schemas and what is in them, but what belongs to extensions.';

CREATE FUNCTION steward_internal.role_commands(role_name name, schemas name[], access text, OUT object text, OUT problem text, OUT command text) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.check_role_access(role_name, schemas, access);
    IF access = 'owner' THEN
        RETURN QUERY SELECT * FROM steward_internal.role_ownership(role_name, schemas);
    ELSE
        RETURN QUERY SELECT * FROM steward_internal.role_grants(role_name, schemas, access);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.role_commands(name, name[], text) IS
'Returns what is left to be done for a role to read, to write or to own what is in schemas.';

CREATE FUNCTION steward.grant_readonly(role_name name, schemas name[] DEFAULT '{public}', dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(SELECT c.command FROM steward_internal.role_commands(role_name, schemas, 'readonly') c), dry_run);
END $$;
COMMENT ON FUNCTION steward.grant_readonly(name, name[], boolean) IS
'Lets a role read all tables of schemas, those to come too, and takes from PUBLIC what lets everybody write; returns the commands it ran, or would run.';

CREATE FUNCTION steward.grant_application(role_name name, schemas name[] DEFAULT '{public}', dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(SELECT c.command FROM steward_internal.role_commands(role_name, schemas, 'application') c), dry_run);
END $$;
COMMENT ON FUNCTION steward.grant_application(name, name[], boolean) IS
'Lets a role read and write the rows of all tables of schemas, those to come too, and call their functions, but change no schema; returns the commands it ran, or would run.';

CREATE FUNCTION steward.grant_owner(role_name name, schemas name[] DEFAULT '{public}', dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(SELECT c.command FROM steward_internal.role_commands(role_name, schemas, 'owner') c), dry_run);
END $$;
COMMENT ON FUNCTION steward.grant_owner(name, name[], boolean) IS
'Makes a role the owner of schemas, and of what is in them, but of what belongs to extensions; returns the commands it ran, or would run.';

CREATE FUNCTION steward.role_check(role_name name, access text, schemas name[] DEFAULT '{public}', OUT object text, OUT problem text, OUT remedy text) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH role AS MATERIALIZED (
        SELECT r.* FROM pg_roles r WHERE r.rolname = role_name
    ), objects AS MATERIALIZED (
        SELECT o.*, CASE access WHEN 'readonly' THEN o.readonly ELSE o.application END AS wanted
          FROM steward_internal.role_objects(schemas) o
    )
    SELECT c.object, c.problem, CASE WHEN c.command LIKE '-- %' THEN c.command ELSE c.command || ';' END
      FROM steward_internal.role_commands(role_name, schemas, access) c
     UNION ALL
    SELECT quote_ident(role_name), format('The role has the attribute %s.', a.name), format('ALTER ROLE %I NO%s;', role_name, a.name)
      FROM role r
     CROSS JOIN LATERAL (VALUES ('SUPERUSER', r.rolsuper), ('CREATEROLE', r.rolcreaterole), ('CREATEDB', r.rolcreatedb), ('BYPASSRLS', r.rolbypassrls),
                                ('REPLICATION', r.rolreplication)) a(name, has)
     WHERE a.has
     UNION ALL
    SELECT quote_ident(role_name), format('The role is a member of %I.', m.rolname), format('REVOKE %I FROM %I;', m.rolname, role_name)
      FROM role r
      JOIN pg_auth_members g ON g.member = r.oid
      JOIN pg_roles m ON m.oid = g.roleid
     WHERE m.rolname ~ '^pg_' AND NOT (m.rolname IN ('pg_read_all_settings', 'pg_read_all_stats', 'pg_monitor', 'pg_stat_scan_tables'))
        OR m.rolsuper OR access <> 'owner' AND EXISTS (SELECT FROM objects o WHERE o.owner_id = m.oid)
     UNION ALL
    SELECT o.object, 'The role owns it.', NULL
      FROM objects o JOIN role r ON r.oid = o.owner_id
     WHERE access <> 'owner'
     UNION ALL
    SELECT o.object, format('%s has %s, too.', CASE x.grantee WHEN 0 THEN 'Everybody' ELSE 'The role' END,
                            string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type)),
           format('REVOKE %s ON %s %s FROM %s;', string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type), o.kind, o.object,
                  CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(role_name) END)
      FROM objects o
      JOIN role r ON r.oid <> o.owner_id
     CROSS JOIN LATERAL aclexplode(o.acl) x
     WHERE access <> 'owner' AND x.grantee IN (0, r.oid) AND x.privilege_type <> ALL (o.wanted)
       -- what everybody has is for grant_readonly() and grant_application() to take away, and told above
       AND NOT (x.grantee = 0 AND (o.kind IN ('DATABASE', 'SCHEMA', 'ROUTINE')))
     GROUP BY o.kind, o.object, x.grantee
     ORDER BY 1 NULLS FIRST, 2, 3;
END $$;
COMMENT ON FUNCTION steward.role_check(name, text, name[]) IS
'Returns in what a role differs from what grant_readonly(), grant_application() or grant_owner() makes it, each with the command that mends it.';
