-- tenant_check_scope: the tables, rights and roles that tenant_check() looks at.

CREATE TYPE steward_internal.tenant_table AS (
    relation_id     oid,
    qualified_name  text,
    kind            "char",
    schema_id       oid,
    owner_id        oid,
    row_security    boolean,
    forced          boolean,
    is_partition    boolean,
    parent_id       oid,
    column_number   smallint,
    column_name     name,
    column_type     oid,
    column_not_null boolean,
    acl             aclitem[]
);
COMMENT ON TYPE steward_internal.tenant_table IS
'What tenant_check() knows of a table.';

-- unnest() whose number of rows the planner does not take for ten
CREATE FUNCTION steward_internal.tenant_rows(tables steward_internal.tenant_table[]) RETURNS SETOF steward_internal.tenant_table
AS 'array_unnest' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE ROWS 5000;
COMMENT ON FUNCTION steward_internal.tenant_rows(steward_internal.tenant_table[]) IS
'Returns the elements of an array of tables.';

CREATE FUNCTION steward_internal.tenant_tables(tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL)
RETURNS SETOF steward_internal.tenant_table
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- of several such columns the one named first counts
    SELECT DISTINCT ON (c.oid) c.oid, format('%I.%I', n.nspname, c.relname), c.relkind, n.oid, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
           c.relispartition, i.inhparent, a.attnum, a.attname, a.atttypid, a.attnotnull, c.relacl
      FROM unnest(tenant_columns) WITH ORDINALITY w (name, position)
      JOIN pg_attribute a ON a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
      LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhseqno = 1
     WHERE (schemas IS NULL OR c.relnamespace = ANY (schemas))
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
     ORDER BY c.oid, w.position;
END;
COMMENT ON FUNCTION steward_internal.tenant_tables(name[], regnamespace[]) IS
'Returns the tables whose rows belong to tenants: those that have one of the columns.';

CREATE FUNCTION steward_internal.tenant_grants(tables steward_internal.tenant_table[], of_all boolean DEFAULT false,
    OUT relation_id oid, OUT grantee oid, OUT privileges text[]) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT t.relation_id, t.owner_id, t.acl FROM steward_internal.tenant_rows(tables) t
    ), lists AS (
        -- most tables have the rights that others have
        SELECT DISTINCT t.owner_id, t.acl FROM tables t WHERE t.acl IS NOT NULL
    ), granted AS MATERIALIZED (
        SELECT l.owner_id, l.acl, x.grantee, array_agg(x.privilege_type) AS privileges
          FROM lists l CROSS JOIN LATERAL aclexplode(l.acl) x
         WHERE x.grantee <> l.owner_id
         GROUP BY l.owner_id, l.acl, x.grantee
    )
    SELECT t.relation_id, g.grantee, g.privileges
      FROM tables t
      JOIN granted g USING (owner_id, acl)
     UNION ALL
    SELECT t.relation_id, x.grantee, array_agg(DISTINCT x.privilege_type COLLATE "C")
      FROM tables t
      JOIN pg_attribute a ON a.attrelid = t.relation_id AND a.attacl IS NOT NULL
     CROSS JOIN LATERAL aclexplode(a.attacl) x
     WHERE x.grantee <> t.owner_id
     GROUP BY t.relation_id, x.grantee
     UNION ALL
    SELECT t.relation_id, r.oid, p.privileges
      FROM (VALUES ('pg_read_all_data', '{SELECT}'::text[]), ('pg_write_all_data', '{INSERT,UPDATE,DELETE}')) AS p (role_name, privileges)
      JOIN pg_roles r ON r.rolname = p.role_name AND EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = r.oid)
     CROSS JOIN tables t
     WHERE of_all;
END;
COMMENT ON FUNCTION steward_internal.tenant_grants(steward_internal.tenant_table[], boolean) IS
'Returns who but the owner was granted what on tenants'' tables or their columns, on request also by the roles that have rights on all; grantee 0 is PUBLIC.';

CREATE FUNCTION steward_internal.tenant_roles(tables steward_internal.tenant_table[], roles name[] DEFAULT NULL)
RETURNS SETOF oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted name;
BEGIN
    IF roles IS NOT NULL THEN
        FOREACH wanted IN ARRAY roles LOOP
            RETURN NEXT format('%I', wanted)::regrole::oid;
        END LOOP;
        RETURN;
    END IF;
    RETURN QUERY
    WITH grantees AS MATERIALIZED (
        SELECT DISTINCT g.grantee FROM steward_internal.tenant_grants(tables) g
         WHERE g.privileges && '{SELECT,INSERT,UPDATE,DELETE}'
    ), owners AS MATERIALIZED (
        SELECT DISTINCT t.owner_id FROM steward_internal.tenant_rows(tables) t
    )
    SELECT r.oid FROM pg_roles r
     WHERE NOT r.rolsuper
       AND (r.oid IN (SELECT g.grantee FROM grantees g) AND r.oid NOT IN (SELECT o.owner_id FROM owners o)
            OR r.rolcanlogin AND EXISTS (SELECT FROM grantees g WHERE CASE g.grantee WHEN 0 THEN true ELSE pg_has_role(r.oid, g.grantee, 'MEMBER') END));
END $$;
COMMENT ON FUNCTION steward_internal.tenant_roles(steward_internal.tenant_table[], name[]) IS
'Returns the roles of the application: those named or, if none are, those that may read or write tenants'' tables without owning them.';

-- Memberships have options from 16 on; before, each lets SET ROLE.
CREATE FUNCTION steward_internal.tenant_role_paths(roles oid[], OUT role_id oid, OUT target_id oid, OUT path text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE edges AS MATERIALIZED (
        SELECT m.member, m.roleid, m.admin_option, coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) AS settable,
               coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) AS inherited
          FROM pg_auth_members m
          JOIN pg_roles r ON r.oid = m.member
    ), reached AS (
        SELECT r.oid AS role_id, r.oid AS target_id, true AS by_set, ARRAY[r.oid] AS path
          FROM pg_roles r WHERE r.oid = ANY (roles)
         UNION ALL
        -- what is inherited cannot SET ROLE on, but administrators of a role can grant that to themselves
        SELECT p.role_id, e.roleid, p.by_set AND e.settable OR e.admin_option, p.path || e.roleid
          FROM reached p
          JOIN edges e ON e.member = p.target_id AND e.roleid <> ALL (p.path)
                      AND (p.by_set AND e.settable OR e.inherited OR e.admin_option)
    )
    SELECT DISTINCT ON (p.role_id, p.target_id) p.role_id, p.target_id,
           (SELECT string_agg(quote_ident(pg_get_userbyid(s.oid)), ' -> ' ORDER BY s.position) FROM unnest(p.path) WITH ORDINALITY s (oid, position))
      FROM reached p
     WHERE p.role_id <> p.target_id
     ORDER BY p.role_id, p.target_id, cardinality(p.path), p.path;
END;
COMMENT ON FUNCTION steward_internal.tenant_role_paths(oid[]) IS
'Returns the roles that others can become, or whose rights they have, and over which memberships.';
