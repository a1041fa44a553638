-- tenant_check: the holes between the rows of one tenant and those of another.

CREATE FUNCTION steward.tenant_expression(expression pg_node_tree, tenant_column smallint,
    OUT implied boolean, OUT gaps text[], OUT casts boolean, OUT fixed boolean, OUT not_distinct boolean,
    OUT columns smallint[], OUT context_functions oid[], OUT row_functions oid[])
AS 'MODULE_PATHNAME', 'steward_tenant_expression' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward.tenant_expression(pg_node_tree, smallint) IS
'What the expression of a policy says of a column: whether rows that meet it are the tenant''s and, if not, why.';

CREATE FUNCTION steward.tenant_type_leakproof(type oid) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_tenant_type_leakproof' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward.tenant_type_leakproof(oid) IS
'Whether values of a type are compared for equality by a leakproof function.';

CREATE TABLE steward.tenant_check_muted (
    key      text COLLATE "C" PRIMARY KEY,
    reason   text NOT NULL,
    muted_by name NOT NULL DEFAULT current_user,
    muted_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE steward.tenant_check_muted IS
'Findings that tenant_check() leaves out, by their key, with the reason.';
GRANT SELECT ON steward.tenant_check_muted TO PUBLIC;
SELECT pg_extension_config_dump('steward.tenant_check_muted', '');

--
-- What is looked at
--

CREATE TYPE steward.tenant_table AS (
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
COMMENT ON TYPE steward.tenant_table IS
'What tenant_check() knows of a table.';

-- unnest() whose number of rows the planner does not take for ten
CREATE FUNCTION steward.tenant_rows(tables steward.tenant_table[]) RETURNS SETOF steward.tenant_table
AS 'array_unnest' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE ROWS 5000;
COMMENT ON FUNCTION steward.tenant_rows(steward.tenant_table[]) IS
'The elements of an array of tables.';

CREATE FUNCTION steward.tenant_tables(tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL)
RETURNS SETOF steward.tenant_table
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- of several such columns the one named first counts
    SELECT DISTINCT ON (c.oid) c.oid, format('%I.%I', n.nspname, c.relname), c.relkind, n.oid, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
           c.relispartition, i.inhparent, a.attnum, a.attname, a.atttypid, a.attnotnull, c.relacl
      FROM unnest(tenant_columns) WITH ORDINALITY w (name, position)
      JOIN pg_attribute a ON a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward')
      LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhseqno = 1
     WHERE (schemas IS NULL OR c.relnamespace = ANY (schemas))
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
     ORDER BY c.oid, w.position;
END;
COMMENT ON FUNCTION steward.tenant_tables(name[], regnamespace[]) IS
'The tables whose rows belong to tenants: those that have one of the columns.';

CREATE FUNCTION steward.tenant_grants(tables steward.tenant_table[],
    OUT relation_id oid, OUT grantee oid, OUT privileges text[]) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT t.relation_id, t.owner_id, t.acl FROM steward.tenant_rows(tables) t
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
    SELECT t.relation_id, x.grantee, array_agg(DISTINCT x.privilege_type)
      FROM tables t
      JOIN pg_attribute a ON a.attrelid = t.relation_id AND a.attacl IS NOT NULL
     CROSS JOIN LATERAL aclexplode(a.attacl) x
     WHERE x.grantee <> t.owner_id
     GROUP BY t.relation_id, x.grantee;
END;
COMMENT ON FUNCTION steward.tenant_grants(steward.tenant_table[]) IS
'Who but the owner was granted what on tenants'' tables or their columns; grantee 0 is PUBLIC.';

CREATE FUNCTION steward.tenant_roles(tables steward.tenant_table[], roles name[] DEFAULT NULL)
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
        SELECT DISTINCT g.grantee FROM steward.tenant_grants(tables) g
         WHERE g.privileges && '{SELECT,INSERT,UPDATE,DELETE}'
    ), owners AS MATERIALIZED (
        SELECT DISTINCT t.owner_id FROM steward.tenant_rows(tables) t
    )
    SELECT r.oid FROM pg_roles r
     WHERE NOT r.rolsuper
       AND (r.oid IN (SELECT g.grantee FROM grantees g) AND r.oid NOT IN (SELECT o.owner_id FROM owners o)
            OR r.rolcanlogin AND EXISTS (SELECT FROM grantees g WHERE CASE g.grantee WHEN 0 THEN true ELSE pg_has_role(r.oid, g.grantee, 'MEMBER') END));
END $$;
COMMENT ON FUNCTION steward.tenant_roles(steward.tenant_table[], name[]) IS
'The roles of the application: those named or, if none are, those that may read or write tenants'' tables without owning them.';

-- Memberships have options from 16 on; before, each lets SET ROLE.
CREATE FUNCTION steward.tenant_role_paths(roles oid[], OUT role_id oid, OUT target_id oid, OUT path text) RETURNS SETOF record
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
        -- what is inherited cannot SET ROLE on, but who administers a role can grant himself that
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
COMMENT ON FUNCTION steward.tenant_role_paths(oid[]) IS
'The roles that others can become, or whose rights they have, and over which memberships.';

--
-- The rules, by what they look at
--

CREATE FUNCTION steward.tenant_check_tables(tables steward.tenant_table[], roles oid[],
    OUT rule text, OUT level text, OUT object text, OUT detail text, OUT fix_sql text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward.tenant_rows(tables)
    ), grants AS MATERIALIZED (
        SELECT * FROM steward.tenant_grants(tables)
    ), reach AS MATERIALIZED (
        -- the grantees whose rights a role of the application has
        SELECT g.grantee FROM (SELECT DISTINCT g.grantee FROM grants g) g
         WHERE g.grantee = 0
            OR EXISTS (SELECT FROM unnest(roles) r WHERE CASE g.grantee WHEN 0 THEN true ELSE pg_has_role(r, g.grantee, 'MEMBER') END)
    ), open AS MATERIALIZED (
        SELECT DISTINCT g.relation_id FROM grants g JOIN reach USING (grantee)
         WHERE g.privileges && '{SELECT,INSERT,UPDATE,DELETE}'
    ), shared AS MATERIALIZED (
        -- a policy says that rows of no tenant are meant to be
        SELECT DISTINCT p.polrelid FROM pg_policy p JOIN tables t ON t.relation_id = p.polrelid AND NOT t.column_not_null
         CROSS JOIN LATERAL steward.tenant_expression(p.polqual, t.column_number) x WHERE 'null' = ANY (x.gaps)
    ), indexed AS MATERIALIZED (
        SELECT DISTINCT i.indrelid FROM pg_index i JOIN tables t ON t.relation_id = i.indrelid
         WHERE i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = t.column_number
    )
    SELECT f.rule, f.level, t.qualified_name, f.detail, f.fix_sql, f.part
      FROM tables t
      LEFT JOIN open o ON o.relation_id = t.relation_id
      LEFT JOIN tables p ON p.relation_id = t.parent_id
      LEFT JOIN indexed i ON i.indrelid = t.relation_id
     CROSS JOIN LATERAL (VALUES
           ('no_rls', CASE WHEN o.relation_id IS NULL THEN 'WARNING' ELSE 'ERROR' END,
            t.kind <> 'f' AND NOT t.row_security AND t.parent_id IS NULL,
            'Row security is off: whoever may read the table reads the rows of all tenants.',
            format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;', t.qualified_name), NULL),
           ('uncovered_partition', 'ERROR',
            t.kind <> 'f' AND NOT t.row_security AND t.parent_id IS NOT NULL AND o.relation_id IS NOT NULL,
            CASE WHEN p.row_security THEN 'The policies of its parent do not hold for who reads or writes it directly, and it has none of its own.'
                 ELSE 'Row security is off: whoever may read the table reads the rows of all tenants.' END,
            format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;', t.qualified_name), NULL),
           ('no_force', 'WARNING', t.row_security AND NOT t.forced,
            format('The owner, %I, sees the rows of all tenants, and so do his views and SECURITY DEFINER functions.', pg_get_userbyid(t.owner_id)),
            format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', t.qualified_name), NULL),
           ('foreign_table', 'ERROR', t.kind = 'f' AND o.relation_id IS NOT NULL,
            'A foreign table cannot have policies: whoever may read it reads the rows of all tenants.',
            NULL, NULL),
           ('nullable_column', 'WARNING', t.kind <> 'f' AND NOT t.column_not_null AND t.relation_id NOT IN (SELECT s.polrelid FROM shared s)
            AND (p.relation_id IS NULL OR p.column_not_null),
            format('Rows may have no tenant: nobody sees them, until a policy says IS NOT DISTINCT FROM or tests %I for null.', t.column_name),
            format('ALTER TABLE %s ALTER %I SET NOT NULL;', t.qualified_name, t.column_name), NULL),
           ('no_tenant_index', 'WARNING',
            t.kind <> 'f' AND i.indrelid IS NULL AND NOT t.is_partition
            AND NOT EXISTS (SELECT FROM pg_partitioned_table k WHERE k.partrelid = t.relation_id AND k.partattrs[0] = t.column_number),
            format('No index starts with %I: each query of a tenant reads the rows of all.', t.column_name),
            format('CREATE INDEX %sON %s (%I);', CASE t.kind WHEN 'r' THEN 'CONCURRENTLY ' END, t.qualified_name, t.column_name), NULL),
           ('tenant_type', 'WARNING', t.kind <> 'f' AND p.relation_id IS NULL AND NOT steward.tenant_type_leakproof(t.column_type),
            format('Comparing values of type %s is not leakproof: conditions of the query may be tried on rows of other tenants.', format_type(t.column_type, NULL)),
            NULL, NULL)) AS f(rule, level, found, detail, fix_sql, part)
     WHERE f.found
     UNION ALL
    SELECT DISTINCT lower(x.privilege) || '_grant', CASE x.privilege WHEN 'REFERENCES' THEN 'WARNING' ELSE 'ERROR' END, t.qualified_name,
           format(CASE x.privilege
                  WHEN 'TRUNCATE' THEN '%s may empty the table for all tenants: TRUNCATE ignores policies.'
                  WHEN 'REFERENCES' THEN '%s may make a foreign key to the table, which tells what keys other tenants have.'
                  ELSE '%s may attach a trigger, which gets the rows of all tenants.' END,
                  CASE g.grantee WHEN 0 THEN 'Everybody' ELSE format('Role %I', pg_get_userbyid(g.grantee)) END),
           format('REVOKE %s ON %s FROM %s;', x.privilege, t.qualified_name, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END),
           CASE g.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(g.grantee)) END
      FROM grants g
      JOIN reach USING (grantee)
      JOIN tables t USING (relation_id)
     CROSS JOIN LATERAL unnest(g.privileges) x (privilege)
     WHERE x.privilege IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') AND t.kind <> 'f';
END;
COMMENT ON FUNCTION steward.tenant_check_tables(steward.tenant_table[], oid[]) IS
'What tenant_check() finds of tables and the rights on them.';

CREATE FUNCTION steward.tenant_check_policies(tables steward.tenant_table[], roles oid[], roles_named boolean,
    OUT rule text, OUT level text, OUT object text, OUT detail text, OUT fix_sql text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH grants AS MATERIALIZED (
        SELECT * FROM steward.tenant_grants(tables)
    ), policies AS MATERIALIZED (
        SELECT p.oid, p.polname, p.polrelid, p.polcmd, p.polpermissive, p.polroles, p.polqual, p.polwithcheck IS NOT NULL AS has_check,
               t.qualified_name, t.column_name, t.column_number, t.column_not_null,
               u.implied AS u_implied, u.gaps AS u_gaps, u.columns AS u_columns, c.implied AS c_implied, c.gaps AS c_gaps, c.columns AS c_columns,
               coalesce(u.casts, false) OR coalesce(c.casts, false) AS casts, coalesce(u.fixed, false) OR coalesce(c.fixed, false) AS fixed,
               coalesce(u.not_distinct, false) OR coalesce(c.not_distinct, false) AS not_distinct,
               coalesce(u.context_functions, '{}') || coalesce(c.context_functions, '{}') AS context_functions,
               coalesce(u.row_functions, '{}') || coalesce(c.row_functions, '{}') AS row_functions
          FROM steward.tenant_rows(tables) t
          JOIN pg_policy p ON p.polrelid = t.relation_id
          LEFT JOIN LATERAL steward.tenant_expression(p.polqual, t.column_number) u ON p.polqual IS NOT NULL
          LEFT JOIN LATERAL steward.tenant_expression(p.polwithcheck, t.column_number) c ON p.polwithcheck IS NOT NULL
         WHERE t.row_security
    ), clauses AS MATERIALIZED (
        -- what each decides; without a WITH CHECK, USING is it
        SELECT p.oid, p.polrelid, p.polcmd, p.polpermissive, p.polroles, k.command, k.clause,
               CASE WHEN k.clause = 'check' AND p.has_check THEN p.c_implied ELSE p.u_implied END AS implied,
               CASE WHEN k.clause = 'check' AND p.has_check THEN p.c_gaps ELSE p.u_gaps END AS gaps,
               CASE WHEN k.clause = 'check' AND p.has_check THEN p.c_columns ELSE p.u_columns END AS columns
          FROM policies p
          JOIN (VALUES ('r', 'using'), ('a', 'check'), ('w', 'using'), ('w', 'check'), ('d', 'using')) AS k(command, clause)
            ON p.polcmd IN ('*', k.command::"char")
    ), reach AS MATERIALIZED (
        SELECT r AS role_id, g.grantee FROM unnest(roles) r
          JOIN (SELECT unnest(p.polroles) AS grantee FROM policies p
                 UNION SELECT g.grantee FROM grants g) g
            ON CASE g.grantee WHEN 0 THEN true ELSE pg_has_role(r, g.grantee, 'USAGE') END
         UNION ALL
        SELECT 0, 0
    ), gaps AS MATERIALIZED (
        SELECT * FROM clauses c WHERE c.polpermissive AND NOT c.implied
    ), considered AS MATERIALIZED (
        SELECT DISTINCT g.relation_id, r.role_id
          FROM grants g
          JOIN reach r USING (grantee)
         WHERE g.relation_id IN (SELECT p.polrelid FROM gaps p) AND r.role_id <> 0
           AND g.privileges && '{SELECT,INSERT,UPDATE,DELETE}'
    ), users AS MATERIALIZED (
        SELECT * FROM considered
         UNION ALL
        -- where nobody has rights yet, everybody may get them
        SELECT DISTINCT g.polrelid, 0::oid FROM gaps g WHERE g.polrelid NOT IN (SELECT c.relation_id FROM considered c)
    ), applies AS MATERIALIZED (
        SELECT DISTINCT g.oid, g.polrelid, u.role_id
          FROM (SELECT DISTINCT p.oid, p.polrelid, p.polroles FROM gaps p) g
          JOIN users u ON u.relation_id = g.polrelid
          JOIN reach r ON r.role_id = u.role_id AND r.grantee = ANY (g.polroles)
    ), bound AS MATERIALIZED (
        -- what restrictive policies make up for
        SELECT DISTINCT c.polrelid, c.command, c.clause, r.role_id
          FROM clauses c
          JOIN reach r ON r.grantee = ANY (c.polroles)
         WHERE NOT c.polpermissive AND c.implied
    ), kept AS MATERIALIZED (
        -- the roles that some policy keeps in
        SELECT u.relation_id, u.role_id, bool_or(0 <> ALL (c.polroles)) AS by_name
          FROM clauses c
          JOIN users u ON u.relation_id = c.polrelid
          JOIN reach r ON r.role_id = u.role_id AND r.grantee = ANY (c.polroles)
         WHERE c.polpermissive AND c.implied
         GROUP BY u.relation_id, u.role_id
    ), exempt AS MATERIALIZED (
        -- a role that is named because it may see everything, while others may not
        SELECT a.oid, a.role_id
          FROM applies a
          JOIN policies p ON p.oid = a.oid
          LEFT JOIN kept k ON k.relation_id = a.polrelid AND k.role_id = a.role_id
         WHERE NOT roles_named AND 0 <> ALL (p.polroles)
           AND (k.role_id IS NULL OR NOT k.by_name AND p.polcmd = '*')
           AND a.oid IN (SELECT g.oid
                           FROM (SELECT DISTINCT x.oid, x.polrelid FROM applies x) g
                           JOIN kept o ON o.relation_id = g.polrelid
                           LEFT JOIN applies y ON y.oid = g.oid AND y.role_id = o.role_id
                          WHERE y.oid IS NULL)
    ), open AS MATERIALIZED (
        SELECT g.oid, g.clause, g.gaps, g.columns, bool_or(g.command = 'r') AS reads
          FROM gaps g
          JOIN applies a ON a.oid = g.oid
          LEFT JOIN exempt e ON e.oid = a.oid AND e.role_id = a.role_id
         WHERE NOT (g.gaps = '{constant}' AND e.oid IS NOT NULL)
           AND NOT EXISTS (SELECT FROM bound b
                            WHERE b.polrelid = g.polrelid AND b.command = g.command AND b.clause = g.clause AND b.role_id = a.role_id)
         GROUP BY g.oid, g.clause, g.gaps, g.columns
    ), models AS MATERIALIZED (
        -- a condition that the table has already, to make a floor of
        SELECT DISTINCT ON (g.polrelid) g.polrelid, g.polqual
          FROM policies g
         WHERE g.u_implied AND NOT g.fixed AND NOT g.not_distinct AND g.polpermissive AND g.column_number = ANY (g.u_columns)
         ORDER BY g.polrelid, g.polname
    ), found AS MATERIALIZED (
        SELECT p.*, o.clause, o.columns,
               CASE WHEN 'fail open' = ANY (o.gaps) THEN 'fail_open'
                    WHEN 'or' = ANY (o.gaps) THEN 'or_bypass'
                    WHEN 'tautology' = ANY (o.gaps) THEN 'tautology'
                    WHEN 'constant' = ANY (o.gaps) THEN CASE WHEN o.reads THEN 'constant_read' ELSE 'constant_write' END
                    WHEN 'null' = ANY (o.gaps) THEN 'shared_rows'
                    WHEN 'column' = ANY (o.gaps) THEN 'wrong_column'
                    WHEN o.clause = 'check' AND p.u_implied THEN 'loose_check'
                    ELSE 'no_tenant_condition' END AS rule
          FROM open o
          JOIN policies p USING (oid)
         WHERE o.clause = 'using' OR p.has_check
    )
    SELECT f.rule, CASE f.rule WHEN 'shared_rows' THEN 'INFO' ELSE 'ERROR' END, f.qualified_name,
           format(CASE f.rule
                  WHEN 'fail_open' THEN 'Policy %1$I lets all rows pass where no tenant is set.'
                  WHEN 'or_bypass' THEN 'Policy %1$I has a branch that lets rows pass whatever their %2$I.'
                  WHEN 'tautology' THEN 'Policy %1$I compares something with itself, which holds for the rows of all tenants.'
                  WHEN 'constant_read' THEN 'Policy %1$I is true: it shows the rows of all tenants.'
                  WHEN 'constant_write' THEN 'Policy %1$I is true: rows of other tenants can be changed, or rows given to them.'
                  WHEN 'shared_rows' THEN 'Policy %1$I lets everybody at rows whose %2$I is null.'
                  WHEN 'wrong_column' THEN 'Policy %1$I compares %3$s with the context, but not %2$I.'
                  WHEN 'loose_check' THEN 'Policy %1$I shows the rows of one tenant, but lets rows be given to any.'
                  ELSE 'Policy %1$I does not compare %2$I with the context.' END,
                  f.polname, f.column_name,
                  (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                    WHERE a.attrelid = f.polrelid AND a.attnum = ANY (f.columns))),
           CASE WHEN f.rule = 'shared_rows' THEN NULL
                WHEN (f.clause = 'check' AND f.u_implied) IS NOT TRUE AND m.polrelid IS NULL THEN NULL
                WHEN f.clause = 'check' AND f.u_implied
                THEN format('ALTER POLICY %I ON %s WITH CHECK (%s);', f.polname, f.qualified_name, pg_get_expr(f.polqual, f.polrelid))
                ELSE format('CREATE POLICY %I ON %s AS RESTRICTIVE USING (%s);', f.column_name || '_floor', f.qualified_name, pg_get_expr(m.polqual, m.polrelid)) END,
           quote_ident(f.polname)
      FROM (SELECT DISTINCT ON (f.oid, f.rule) f.* FROM found f ORDER BY f.oid, f.rule, f.clause DESC) f
      LEFT JOIN models m ON m.polrelid = f.polrelid
     UNION ALL
    SELECT w.rule, w.level, p.qualified_name, w.detail, w.fix_sql, quote_ident(p.polname)
      FROM policies p
     CROSS JOIN LATERAL (VALUES
           ('column_cast', 'WARNING', p.casts,
            format('Policy %I converts %I before it compares it: no index on the column can be used.', p.polname, p.column_name), NULL::text),
           ('fixed_tenant', 'WARNING', p.fixed AND 0 = ANY (p.polroles),
            format('Policy %I gives the rows of one fixed tenant to everybody.', p.polname), NULL),
           ('fail_open_null', 'WARNING', p.not_distinct AND NOT p.column_not_null,
            format('Policy %I lets rows without tenant pass where no tenant is set.', p.polname),
            format('ALTER TABLE %s ALTER %I SET NOT NULL;', p.qualified_name, p.column_name))) AS w(rule, level, found, detail, fix_sql)
     WHERE w.found
     UNION ALL
    SELECT w.rule, w.level, o.object, format(w.detail, string_agg(format('%I on %s', p.polname, p.qualified_name), ', ' ORDER BY p.qualified_name COLLATE "C", p.polname)),
           w.fix_sql, NULL
      FROM policies p
     CROSS JOIN LATERAL (
           SELECT c AS function_id, false AS of_row FROM unnest(p.context_functions) c
            UNION
           SELECT r, true FROM unnest(p.row_functions) r) c
      JOIN pg_proc f ON f.oid = c.function_id
      JOIN pg_namespace n ON n.oid = f.pronamespace
      JOIN pg_language l ON l.oid = f.prolang
     CROSS JOIN LATERAL (SELECT format('%I.%I(%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes)) AS name) s
     CROSS JOIN LATERAL (VALUES
           ('context_immutable', 'ERROR', NOT c.of_row AND f.provolatile = 'i',
            'It is marked IMMUTABLE: a prepared statement keeps the tenant for which it was planned. Used by: %s.',
            format('ALTER FUNCTION %s STABLE;', s.name)),
           ('context_volatile', 'WARNING', NOT c.of_row AND f.provolatile = 'v',
            'It is marked VOLATILE, so that it is called for each row and no index is used. Used by: %s.',
            format('ALTER FUNCTION %s STABLE;', s.name)),
           ('row_helper', 'WARNING',
            c.of_row AND f.prosupport = 0 AND (l.lanname <> 'sql' OR f.prosecdef OR f.proconfig IS NOT NULL OR f.provolatile = 'v'),
            'It is called with columns of each row, and no index can be used for what it says. Used by: %s.',
            NULL)) AS w(rule, level, found, detail, fix_sql)
     CROSS JOIN LATERAL (SELECT s.name) o (object)
     WHERE w.found
     GROUP BY w.rule, w.level, o.object, w.detail, w.fix_sql;
END;
COMMENT ON FUNCTION steward.tenant_check_policies(steward.tenant_table[], oid[], boolean) IS
'What tenant_check() finds of policies and the functions they call.';

CREATE FUNCTION steward.tenant_foreign_keys(tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL,
    OUT constraint_name name, OUT relation_id oid, OUT qualified_name text, OUT tenant_column name, OUT key_columns name[],
    OUT referenced_id oid, OUT referenced_name text, OUT referenced_tenant name, OUT referenced_columns name[],
    OUT cascades boolean, OUT definition text, OUT needs_unique boolean) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward.tenant_tables(tenant_columns, NULL)
    )
    SELECT c.conname, t.relation_id, t.qualified_name, t.column_name, k.here, r.relation_id, r.qualified_name, r.column_name, k.there,
           c.confdeltype IN ('c', 'n', 'd') OR c.confupdtype IN ('c', 'n', 'd'),
           -- the same key with the tenant; null where that cannot be said
           CASE WHEN c.confupdtype NOT IN ('n', 'd') AND (c.confmatchtype <> 'f' OR cardinality(c.conkey) = 1)
                 AND t.column_name <> ALL (k.here) AND r.column_name <> ALL (k.there) THEN
               format('FOREIGN KEY (%I, %s) REFERENCES %s (%I, %s)', t.column_name, k.here_list, r.qualified_name, r.column_name, k.there_list)
               || CASE c.confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT' WHEN 'c' THEN ' ON UPDATE CASCADE' ELSE '' END
               -- the tenant stays
               || CASE c.confdeltype WHEN 'r' THEN ' ON DELETE RESTRICT' WHEN 'c' THEN ' ON DELETE CASCADE'
                                     WHEN 'n' THEN format(' ON DELETE SET NULL (%s)', k.set_list) WHEN 'd' THEN format(' ON DELETE SET DEFAULT (%s)', k.set_list)
                                     ELSE '' END
               || CASE WHEN c.condeferrable THEN ' DEFERRABLE' ELSE '' END || CASE WHEN c.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
           END,
           NOT EXISTS (SELECT FROM pg_index i
                        WHERE i.indrelid = r.relation_id AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                          AND i.indnkeyatts = cardinality(c.confkey) + 1
                          AND (SELECT array_agg(n ORDER BY n) FROM unnest((i.indkey::smallint[])[0:i.indnkeyatts - 1]) n)
                              = (SELECT array_agg(n ORDER BY n) FROM unnest(r.column_number || c.confkey) n))
      FROM pg_constraint c
      JOIN tables t ON t.relation_id = c.conrelid AND (schemas IS NULL OR t.schema_id = ANY (schemas))
      JOIN tables r ON r.relation_id = c.confrelid
     CROSS JOIN LATERAL (
           SELECT array_agg(h.attname ORDER BY n.position) AS here, array_agg(f.attname ORDER BY n.position) AS there,
                  string_agg(quote_ident(h.attname), ', ' ORDER BY n.position) AS here_list,
                  string_agg(quote_ident(f.attname), ', ' ORDER BY n.position) AS there_list,
                  string_agg(quote_ident(h.attname), ', ' ORDER BY n.position)
                      FILTER (WHERE c.confdelsetcols IS NULL OR h.attnum = ANY (c.confdelsetcols)) AS set_list
             FROM unnest(c.conkey, c.confkey) WITH ORDINALITY n (here, there, position)
             JOIN pg_attribute h ON h.attrelid = c.conrelid AND h.attnum = n.here
             JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = n.there) k
     WHERE c.contype = 'f' AND c.conparentid = 0
       AND NOT EXISTS (SELECT FROM unnest(c.conkey, c.confkey) k (here, there) WHERE k.here = t.column_number AND k.there = r.column_number);
END;
COMMENT ON FUNCTION steward.tenant_foreign_keys(name[], regnamespace[]) IS
'The foreign keys between tables of tenants that do not contain the tenant on both sides, and how they would.';

CREATE FUNCTION steward.tenant_check_keys(tables steward.tenant_table[], tenant_columns name[], schemas regnamespace[],
    OUT rule text, OUT level text, OUT object text, OUT detail text, OUT fix_sql text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward.tenant_rows(tables)
    )
    SELECT CASE WHEN k.cascades THEN 'foreign_key_cascade' ELSE 'foreign_key' END, CASE WHEN k.cascades THEN 'ERROR' ELSE 'WARNING' END,
           k.qualified_name,
           format(CASE WHEN k.cascades THEN 'Foreign key %1$I to %2$s lacks the tenant: when one tenant deletes or changes a row, rows of others go or change with it.'
                       ELSE 'Foreign key %1$I to %2$s lacks the tenant: rows may refer to rows of other tenants, and errors tell which exist.' END,
                  k.constraint_name, k.referenced_name),
           CASE WHEN k.definition IS NOT NULL THEN format('%1$sALTER TABLE %2$s DROP CONSTRAINT %3$I, ADD CONSTRAINT %3$I %4$s;',
                  CASE WHEN k.needs_unique THEN format('ALTER TABLE %s ADD UNIQUE (%s); ', k.referenced_name,
                       (SELECT string_agg(quote_ident(c), ', ' ORDER BY n) FROM unnest(k.referenced_tenant || k.referenced_columns) WITH ORDINALITY u (c, n))) END,
                  k.qualified_name, k.constraint_name, k.definition) END, quote_ident(k.constraint_name)
      FROM steward.tenant_foreign_keys(tenant_columns, schemas) k
     UNION ALL
    SELECT 'unique_across_tenants', 'WARNING', t.qualified_name,
           format('%I is unique across tenants: an insertion that fails tells what another has.', x.relname), NULL, quote_ident(x.relname)
      FROM tables t
      JOIN pg_index i ON i.indrelid = t.relation_id AND (i.indisunique OR i.indisexclusion)
      JOIN pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition
     WHERE t.column_number <> ALL (i.indkey::smallint[])
       -- the number of a row tells nothing, nor does a random one
       AND NOT EXISTS (
           SELECT FROM generate_series(0, i.indnkeyatts - 1) n
             JOIN pg_attribute a ON a.attrelid = t.relation_id AND a.attnum = i.indkey[n]
            WHERE a.atttypid = 'uuid'::regtype OR a.attidentity <> ''
               OR i.indisprimary AND i.indnkeyatts = 1 AND a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
               OR EXISTS (SELECT FROM pg_depend d
                           WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
                             AND d.refobjid = t.relation_id AND d.refobjsubid = a.attnum AND d.deptype = 'a'
                             AND EXISTS (SELECT FROM pg_class s WHERE s.oid = d.objid AND s.relkind = 'S'))
               -- what an insertion could tell, the foreign key tells first
               OR EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = t.relation_id AND c.contype = 'f' AND a.attnum = ANY (c.conkey)))
     UNION ALL
    SELECT 'shared_sequence', 'WARNING', t.qualified_name,
           format('The default of %I takes numbers from %I.%I, of another schema: how they grow tells what others do.', a.attname, n.nspname, s.relname),
           NULL, quote_ident(a.attname)
      FROM tables t
      JOIN pg_attrdef f ON f.adrelid = t.relation_id
      JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
      JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
      JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S' AND s.relnamespace <> t.schema_id
      JOIN pg_namespace n ON n.oid = s.relnamespace;
END;
COMMENT ON FUNCTION steward.tenant_check_keys(steward.tenant_table[], name[], regnamespace[]) IS
'What tenant_check() finds of keys.';

CREATE FUNCTION steward.tenant_check_roles(tables steward.tenant_table[], roles oid[],
    OUT rule text, OUT level text, OUT object text, OUT detail text, OUT fix_sql text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward.tenant_rows(tables)
    ), owners AS MATERIALIZED (
        SELECT t.owner_id, min(t.qualified_name COLLATE "C") AS example, count(*) AS tables FROM tables t GROUP BY t.owner_id
    ), application AS MATERIALIZED (
        SELECT r.* FROM pg_roles r WHERE r.oid = ANY (roles)
    )
    SELECT 'owner_login', CASE WHEN o.owner_id = ANY (roles) THEN 'ERROR' ELSE 'WARNING' END, quote_ident(r.rolname),
           format('It can log in and owns %s%s: it can drop policies and turn row security off.', o.example,
                  CASE WHEN o.tables > 1 THEN format(' and %s more', o.tables - 1) END),
           format('ALTER ROLE %I NOLOGIN;', r.rolname), NULL
      FROM owners o
      JOIN pg_roles r ON r.oid = o.owner_id AND r.rolcanlogin AND NOT r.rolsuper
     UNION ALL
    SELECT 'bypassrls', 'ERROR', quote_ident(r.rolname),
           CASE WHEN r.rolsuper THEN 'It is a superuser: no policy holds for it.' ELSE 'It has BYPASSRLS: no policy holds for it.' END,
           format('ALTER ROLE %I %s;', r.rolname, CASE WHEN r.rolsuper THEN 'NOSUPERUSER' ELSE 'NOBYPASSRLS' END), NULL
      FROM application r
     WHERE r.rolsuper OR r.rolbypassrls
     UNION ALL
    SELECT 'set_role_path', 'ERROR', quote_ident(r.rolname),
           format('It can act as %I, %s: %s.', t.rolname,
                  CASE WHEN t.rolsuper THEN 'a superuser' WHEN t.rolbypassrls THEN 'which has BYPASSRLS' ELSE 'which owns ' || o.example END, p.path),
           format('REVOKE %I FROM %s;', t.rolname, (regexp_match(p.path, '(?:^|.* -> )(.*) -> '))[1]), quote_ident(t.rolname)
      FROM steward.tenant_role_paths(roles) p
      JOIN application r ON r.oid = p.role_id AND NOT r.rolsuper
      JOIN pg_roles t ON t.oid = p.target_id
      LEFT JOIN owners o ON o.owner_id = t.oid
     WHERE t.rolsuper OR t.rolbypassrls OR o.owner_id IS NOT NULL
     UNION ALL
    SELECT 'createrole', 'WARNING', quote_ident(r.rolname), 'It has CREATEROLE: it can make, or before 16 become, roles that own or may do more than it.',
           format('ALTER ROLE %I NOCREATEROLE;', r.rolname), NULL
      FROM application r
     WHERE r.rolcreaterole AND NOT r.rolsuper
     UNION ALL
    SELECT 'statistics_visible', 'WARNING', quote_ident(r.rolname),
           format('It is a member of %I: it sees the statements of all sessions, with the values in them.', s.rolname),
           format('REVOKE %I FROM %I;', s.rolname, r.rolname), quote_ident(s.rolname)
      FROM application r
      JOIN pg_roles s ON s.rolname IN ('pg_monitor', 'pg_read_all_stats')
       AND EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid AND m.roleid = s.oid)
     WHERE NOT r.rolsuper
     UNION ALL
    SELECT 'context_setter', 'WARNING', quote_ident(r.rolname),
           format('It may %s: SQL that is smuggled into it chooses any tenant.', s.what),
           format('REVOKE %s FROM %s;', s.privilege, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END), s.name
      FROM (SELECT 'call ' || f.oid::regprocedure, format('EXECUTE ON FUNCTION %s', f.oid::regprocedure), f.proname, f.proowner, f.proacl
              FROM pg_proc f
             WHERE f.oid IN ('steward.tenant_set(text, text, jsonb)'::regprocedure, 'steward.tenant_sign(text, text, interval, jsonb)'::regprocedure)
             UNION ALL
            SELECT 'set ' || p.parname, format('SET ON PARAMETER %s', p.parname), p.parname, 0, p.paracl
              FROM pg_parameter_acl p
             WHERE p.parname IN ('steward.tenant', 'steward.user_id', 'steward.claims', 'steward.tenant_keys')) AS s (what, privilege, name, owner, acl)
     CROSS JOIN LATERAL aclexplode(s.acl) x
      JOIN application r ON NOT r.rolsuper AND x.grantee <> s.owner AND x.privilege_type IN ('EXECUTE', 'SET')
                        AND CASE x.grantee WHEN 0 THEN true ELSE pg_has_role(r.oid, x.grantee, 'MEMBER') END
     UNION ALL
    SELECT 'schema_create', 'WARNING', format('%I', n.nspname),
           format('Role %I may create in it: what it makes there comes before what is found later in a search_path.', r.rolname),
           format('REVOKE CREATE ON SCHEMA %I FROM %s;', n.nspname,
                  CASE WHEN EXISTS (SELECT FROM aclexplode(n.nspacl) x WHERE x.grantee = 0 AND x.privilege_type = 'CREATE') THEN 'PUBLIC' ELSE quote_ident(r.rolname) END),
           quote_ident(r.rolname)
      FROM (SELECT DISTINCT t.schema_id FROM tables t) t
      JOIN pg_namespace n ON n.oid = t.schema_id
      JOIN application r ON NOT r.rolsuper AND has_schema_privilege(r.oid, n.oid, 'CREATE') AND NOT pg_has_role(r.oid, n.nspowner, 'USAGE')
     UNION ALL
    SELECT 'server_version', 'WARNING', 'server ' || current_setting('server_version'),
           'This minor version has known faults in row security (CVE-2024-10976, CVE-2025-8713).', NULL, NULL
      FROM (SELECT current_setting('server_version_num')::integer AS number) v
      JOIN (VALUES (15, 14), (16, 10), (17, 6)) AS m (major, minor) ON v.number / 10000 = m.major AND v.number % 10000 < m.minor
     WHERE EXISTS (SELECT FROM tables);
END;
COMMENT ON FUNCTION steward.tenant_check_roles(steward.tenant_table[], oid[]) IS
'What tenant_check() finds of roles.';

CREATE FUNCTION steward.tenant_check_code(tables steward.tenant_table[], schemas regnamespace[], roles oid[],
    OUT rule text, OUT level text, OUT object text, OUT detail text, OUT fix_sql text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE tables AS MATERIALIZED (
        SELECT t.*, r.rolsuper OR r.rolbypassrls AS owner_bypasses
          FROM steward.tenant_rows(tables) t JOIN pg_roles r ON r.oid = t.owner_id
    ), views AS MATERIALIZED (
        -- what reads what
        SELECT DISTINCT v.oid, v.relkind, v.relowner, d.refobjid AS source,
               coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(v.reloptions) o WHERE o.option_name = 'security_invoker'), false) AS invoker
          FROM pg_class v
          JOIN pg_rewrite w ON w.ev_class = v.oid AND w.ev_type = '1'
          JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
         WHERE v.relkind IN ('v', 'm') AND v.oid >= 16384
    ), contained AS (
        SELECT v.oid, v.relkind, v.relowner, t.qualified_name AS of_table FROM views v JOIN tables t ON t.relation_id = v.source
         UNION
        SELECT v.oid, v.relkind, v.relowner, c.of_table FROM contained c JOIN views v ON v.source = c.oid
    ), leaks AS (
        (
        SELECT v.oid, v.relkind, v.relowner, t.qualified_name AS of_table
          FROM views v
          JOIN tables t ON t.relation_id = v.source
          JOIN pg_roles o ON o.oid = v.relowner
         WHERE v.relkind = 'v' AND NOT v.invoker AND (NOT t.row_security OR o.rolsuper OR o.rolbypassrls OR NOT t.forced AND pg_has_role(v.relowner, t.owner_id, 'USAGE'))
         UNION
        -- whatever its owner saw when it was filled
        SELECT c.oid, c.relkind, c.relowner, c.of_table FROM contained c WHERE c.relkind = 'm'
        )
         UNION
        SELECT v.oid, v.relkind, v.relowner, l.of_table
          FROM leaks l
          JOIN views v ON v.source = l.oid AND v.relkind = 'v' AND NOT v.invoker
    ), bypassing AS MATERIALIZED (
        -- functions that run as a role for which no policy holds
        SELECT f.oid, f.proname, f.pronamespace, f.proargtypes, f.prosrc, l.lanname, o.rolname, o.rolsuper OR o.rolbypassrls AS always, f.proowner
          FROM pg_proc f
          JOIN pg_language l ON l.oid = f.prolang AND l.lanname <> 'internal' AND l.lanname <> 'c'
          JOIN pg_roles o ON o.oid = f.proowner
         WHERE f.prosecdef AND f.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
           AND (has_function_privilege('public', f.oid, 'EXECUTE') OR EXISTS (SELECT FROM unnest(roles) r WHERE has_function_privilege(r, f.oid, 'EXECUTE')))
    ), words AS MATERIALIZED (
        -- a body that is a text is not parsed: what names a table is taken to use it
        SELECT DISTINCT b.oid, w.word FROM bypassing b CROSS JOIN LATERAL regexp_split_to_table(b.prosrc, '[^[:alnum:]_$]+') w (word)
    ), uses AS MATERIALIZED (
        SELECT b.oid, t.qualified_name FROM bypassing b
          JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = b.oid AND d.refclassid = 'pg_class'::regclass
          JOIN tables t ON t.relation_id = d.refobjid AND (b.always OR NOT t.row_security OR NOT t.forced AND pg_has_role(b.proowner, t.owner_id, 'USAGE'))
         UNION
        SELECT b.oid, t.qualified_name FROM bypassing b
          JOIN words w USING (oid)
          JOIN pg_class c ON c.relname IN (w.word, lower(w.word))
          JOIN tables t ON t.relation_id = c.oid AND (b.always OR NOT t.row_security OR NOT t.forced AND pg_has_role(b.proowner, t.owner_id, 'USAGE'))
    )
    SELECT CASE l.relkind WHEN 'm' THEN 'materialized_view' ELSE 'definer_view' END, 'ERROR', s.name,
           format(CASE l.relkind WHEN 'm' THEN 'It keeps rows of %s, and cannot have policies: whoever may read it reads those of all tenants.'
                                 ELSE 'It reads %s with the rights of its owner, %I, for whom no policy holds.' END,
                  string_agg(DISTINCT l.of_table COLLATE "C", ', ' ORDER BY l.of_table COLLATE "C"), pg_get_userbyid(l.relowner)),
           CASE l.relkind WHEN 'v' THEN format('ALTER VIEW %s SET (security_invoker = true);', s.name) END, NULL
      FROM leaks l
      JOIN pg_class c ON c.oid = l.oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname)) s (name)
     WHERE has_any_column_privilege('public', l.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege('public', l.oid, 'DELETE')
        OR EXISTS (SELECT FROM unnest(roles) r
                    WHERE has_any_column_privilege(r, l.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(r, l.oid, 'DELETE'))
     GROUP BY l.relkind, s.name, l.relowner
     UNION ALL
    SELECT 'definer_function', 'WARNING', s.name,
           format('It uses %s with the rights of its owner, %I, for whom no policy holds.', string_agg(u.qualified_name, ', ' ORDER BY u.qualified_name COLLATE "C"), b.rolname),
           format('ALTER ROUTINE %s SECURITY INVOKER;', s.name), NULL
      FROM uses u
      JOIN bypassing b USING (oid)
      JOIN pg_namespace n ON n.oid = b.pronamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I(%s)', n.nspname, b.proname, oidvectortypes(b.proargtypes))) s (name)
     GROUP BY s.name, b.rolname
     UNION ALL
    SELECT 'definer_search_path', 'WARNING', s.name,
           format('It works with the rights of %I and finds names by the search_path of who calls it.', pg_get_userbyid(f.proowner)),
           format('ALTER ROUTINE %s SET search_path = pg_catalog, %I, pg_temp;', s.name, n.nspname), NULL
      FROM pg_proc f
      JOIN pg_language l ON l.oid = f.prolang AND l.lanname NOT IN ('internal', 'c')
      JOIN pg_namespace n ON n.oid = f.pronamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I(%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes))) s (name)
     WHERE f.prosecdef AND f.prosqlbody IS NULL AND (schemas IS NULL OR f.pronamespace = ANY (schemas))
       AND NOT EXISTS (SELECT FROM unnest(f.proconfig) c WHERE starts_with(c, 'search_path='))
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
       AND EXISTS (SELECT FROM tables)
       AND (has_function_privilege('public', f.oid, 'EXECUTE') OR EXISTS (SELECT FROM unnest(roles) r WHERE has_function_privilege(r, f.oid, 'EXECUTE')))
     UNION ALL
    SELECT 'leakproof_function', CASE l.lanname WHEN 'c' THEN 'WARNING' ELSE 'ERROR' END, s.name,
           'It is marked LEAKPROOF: it is tried on rows before a policy has let them pass, and can tell what is in them.',
           format('ALTER FUNCTION %s NOT LEAKPROOF;', s.name), NULL
      FROM pg_proc f
      JOIN pg_language l ON l.oid = f.prolang
      JOIN pg_namespace n ON n.oid = f.pronamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I(%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes))) s (name)
     WHERE f.proleakproof AND f.oid >= 16384 AND (schemas IS NULL OR f.pronamespace = ANY (schemas))
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
       AND EXISTS (SELECT FROM tables)
     UNION ALL
    SELECT 'publication', 'INFO', quote_ident(p.pubname),
           CASE WHEN p.puballtables THEN 'It publishes the rows of all tenants, of all tables.'
                ELSE 'It publishes the rows of all tenants, of: ' || string_agg(t.qualified_name, ', ' ORDER BY t.qualified_name COLLATE "C") || '.' END, NULL, NULL
      FROM pg_publication p
      LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prqual IS NULL AND NOT p.puballtables
      LEFT JOIN pg_publication_namespace m ON m.pnpubid = p.oid
      JOIN tables t ON t.relation_id = r.prrelid OR t.schema_id = m.pnnspid OR p.puballtables AND t.relation_id = (SELECT min(a.relation_id) FROM tables a)
     GROUP BY p.pubname, p.puballtables;
END;
COMMENT ON FUNCTION steward.tenant_check_code(steward.tenant_table[], regnamespace[], oid[]) IS
'What tenant_check() finds of views, functions and publications.';

--
-- The checker
--

CREATE FUNCTION steward.tenant_check(tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL, roles name[] DEFAULT NULL,
    include_muted boolean DEFAULT false,
    OUT rule text, OUT level text, OUT object text, OUT detail text, OUT fix_sql text, OUT key text) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET jit = off
AS $$
DECLARE
    tables constant steward.tenant_table[] := ARRAY(SELECT t FROM steward.tenant_tables(tenant_columns, schemas) t);
    application constant oid[] := ARRAY(SELECT r FROM steward.tenant_roles(tables, roles) r ORDER BY r);
BEGIN
    RETURN QUERY
    SELECT f.rule, f.level, f.object, f.detail, f.fix_sql, k.key
      FROM (SELECT * FROM steward.tenant_check_tables(tables, application)
             UNION ALL
            SELECT * FROM steward.tenant_check_policies(tables, application, roles IS NOT NULL)
             UNION ALL
            SELECT * FROM steward.tenant_check_keys(tables, tenant_columns, schemas)
             UNION ALL
            SELECT * FROM steward.tenant_check_roles(tables, application)
             UNION ALL
            SELECT * FROM steward.tenant_check_code(tables, schemas, application)) f
     CROSS JOIN LATERAL (SELECT concat_ws(':', f.rule, f.object, f.part)) k (key)
     WHERE include_muted OR NOT EXISTS (SELECT FROM steward.tenant_check_muted m WHERE m.key = k.key)
     ORDER BY array_position('{ERROR,WARNING,INFO}', f.level), f.object COLLATE "C", f.rule COLLATE "C", k.key COLLATE "C";
END $$;
COMMENT ON FUNCTION steward.tenant_check(name[], regnamespace[], name[], boolean) IS
'The holes between tenants, one row for each, with the command that mends it and the key that mutes it.';

CREATE FUNCTION steward.tenant_assert_isolated(tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL, roles name[] DEFAULT NULL,
    level text DEFAULT 'WARNING') RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    levels constant text[] := '{ERROR,WARNING,INFO}';
    findings text[];
BEGIN
    IF array_position(levels, upper(level)) IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('unknown level "%s"', level),
            HINT = 'Levels are ERROR, WARNING and INFO.';
    END IF;
    -- no tables at all are more likely a wrong name than a clean schema
    IF NOT EXISTS (SELECT FROM steward.tenant_tables(tenant_columns, schemas)) THEN
        RAISE undefined_table USING
            MESSAGE = format('no table has a column named %s', (SELECT string_agg(quote_ident(c), ' or ') FROM unnest(tenant_columns) c)),
            HINT = 'Pass the names of the columns as tenant_columns => ''{...}''.';
    END IF;
    findings := ARRAY(SELECT format('%s %s: %s', f.level, f.key, f.detail)
                        FROM steward.tenant_check(tenant_columns, schemas, roles) WITH ORDINALITY f
                       WHERE array_position(levels, f.level) <= array_position(levels, upper(tenant_assert_isolated.level))
                       ORDER BY f.ordinality);
    IF findings <> '{}' THEN
        RAISE assert_failure USING
            MESSAGE = format('tenants are not isolated: %s finding(s)', cardinality(findings)),
            DETAIL = array_to_string(findings, E'\n'),
            HINT = 'SELECT * FROM steward.tenant_check();';
    END IF;
END $$;
COMMENT ON FUNCTION steward.tenant_assert_isolated(name[], regnamespace[], name[], text) IS
'Raises P0004 if tenant_check() finds something of that level or worse.';

--
-- Trying it
--

CREATE FUNCTION steward.tenant_probe(a text, b text, role name, context text DEFAULT 'SELECT steward.tenant_set(%L)', tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL,
    OUT table_name text, OUT attempt text, OUT result text, OUT detail text) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    t record;
    x record;
    rows bigint;
    own bigint;
    columns text;
    ready boolean;
BEGIN
    IF num_nulls(a, b, role, context) > 0 THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments "a", "b", "role" and "context" of steward.tenant_probe() must not be null';
    END IF;
    IF context NOT LIKE '%\%L%' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'context must be a command with %L for the tenant',
            HINT = $h$For instance 'SET LOCAL app.tenant_id = %L'.$h$;
    END IF;
    FOR t IN
        SELECT m.* FROM steward.tenant_tables(tenant_columns, schemas) m
         WHERE has_any_column_privilege(role, m.relation_id, 'SELECT, INSERT, UPDATE') OR has_table_privilege(role, m.relation_id, 'DELETE')
         ORDER BY m.qualified_name COLLATE "C"
    LOOP
        table_name := t.qualified_name;
        SELECT string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum) INTO columns
          FROM pg_attribute c WHERE c.attrelid = t.relation_id AND c.attnum > 0 AND NOT c.attisdropped AND c.attgenerated = '';
        FOR x IN
            -- conflict: whether a key that stands against it shows that the policies do not.  What has no WHERE
            -- is not held back by policies for SELECT; of such commands only rows beyond the tenant's own count.
            SELECT * FROM (VALUES
                ('SELECT without tenant', false, false, true, 'SELECT FROM %1$s WHERE %2$I IN (%3$L, %4$L)'),
                ('SELECT', true, false, true, 'SELECT FROM %1$s WHERE %2$I = %4$L'),
                -- a row that is there meets the policies before any key
                ('INSERT', true, false, true, 'INSERT INTO %1$s (%5$s) OVERRIDING SYSTEM VALUE SELECT %5$s FROM jsonb_populate_record(NULL::%1$s, current_setting(''steward_probe.row'')::jsonb)'),
                ('UPDATE', true, false, true, 'UPDATE %1$s SET %2$I = %2$I WHERE %2$I = %4$L'),
                ('UPDATE of every row', true, true, false, 'UPDATE %1$s SET %2$I = %3$L'),
                ('UPDATE to another tenant', true, false, true, 'UPDATE %1$s SET %2$I = %4$L'),
                ('DELETE', true, false, true, 'DELETE FROM %1$s WHERE %2$I = %4$L'),
                ('DELETE of every row', true, true, false, 'DELETE FROM %1$s')) AS v (attempt, set_context, owns, conflict, command)
        LOOP
            attempt := x.attempt;
            result := NULL;
            detail := NULL;
            ready := false;
            BEGIN
                -- rows that the caller may not see are an error, not none
                SET LOCAL row_security = off;
                EXECUTE format('SELECT count(*) FILTER (WHERE r.%2$I = %3$L), count(*) FILTER (WHERE r.%2$I = %4$L) FROM %1$s r WHERE r.%2$I IN (%3$L, %4$L)',
                               t.qualified_name, t.column_name, a, b) INTO own, rows;
                IF (CASE attempt WHEN 'UPDATE to another tenant' THEN own ELSE rows END) = 0 THEN
                    result := 'no rows';
                    RAISE SQLSTATE 'STWRD';
                END IF;
                IF attempt = 'INSERT' THEN
                    EXECUTE format('SELECT set_config(''steward_probe.row'', to_jsonb(r)::text, true) FROM %s r WHERE r.%I = %L LIMIT 1', t.qualified_name, t.column_name, b);
                END IF;
                SET LOCAL row_security = on;
                IF x.set_context THEN
                    EXECUTE format(context, a);
                END IF;
                EXECUTE format('SET LOCAL ROLE %I', role);
                ready := true;
                EXECUTE format(x.command, t.qualified_name, t.column_name, a, b, columns);
                GET DIAGNOSTICS rows = ROW_COUNT;
                rows := rows - CASE WHEN x.owns THEN own ELSE 0 END;
                result := CASE WHEN rows > 0 THEN 'LEAKED' ELSE 'blocked' END;
                detail := CASE WHEN rows > 0 THEN format('%s row(s)', rows) END;
                RAISE SQLSTATE 'STWRD';
            EXCEPTION
                WHEN SQLSTATE 'STWRD' THEN NULL;
                WHEN OTHERS THEN
                    -- no attempt was made
                    IF NOT ready THEN
                        RAISE;
                    END IF;
                    result := CASE WHEN SQLSTATE = '42501' THEN 'blocked'
                                   WHEN SQLSTATE LIKE '23%' AND x.conflict THEN 'LEAKED'
                                   ELSE 'error' END;
                    detail := SQLERRM;
            END;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.tenant_probe(text, text, name, text, name[], regnamespace[]) IS
'Tries as a role, with tenant a set, to read and write rows of tenant b; every attempt is rolled back.';
