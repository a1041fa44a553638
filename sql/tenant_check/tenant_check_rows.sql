-- tenant_check_rows: the rules about tables, what policies say, and keys.

CREATE FUNCTION steward_internal.tenant_expression_text(expression pg_node_tree, relation oid) RETURNS text
AS 'MODULE_PATHNAME', 'steward_tenant_expression_text' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.tenant_expression_text(pg_node_tree, oid) IS
'Returns the expression of a policy as pg_get_expr() shows it; null while somebody locks a table that is named in it.';

CREATE FUNCTION steward_internal.tenant_type_leakproof(type oid) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_tenant_type_leakproof' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.tenant_type_leakproof(oid) IS
'Returns whether values of a type are compared for equality by a leakproof function.';

CREATE FUNCTION steward_internal.tenant_protect_command(qualified_name text, column_name name, column_type oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('SELECT steward.tenant_protect(%L, %L);', qualified_name, column_name)
      FROM pg_type y
     WHERE y.oid = column_type
       AND coalesce(nullif(y.typbasetype, 0), y.oid) IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'uuid'::regtype, 'text'::regtype, 'varchar'::regtype);
END;
COMMENT ON FUNCTION steward_internal.tenant_protect_command(text, name, oid) IS
'Returns the command that gives a table the policies of tenants; null if its column is of no type that can have them.';

CREATE FUNCTION steward_internal.tenant_check_tables(tables steward_internal.tenant_table[], policies steward_internal.tenant_policy[],
    helpers steward_internal.tenant_helper[], roles oid[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_rows(tables)
    ), grants AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_grants(tables, true)
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
        SELECT DISTINCT p.relation_id FROM steward_internal.tenant_policy_rows(policies) p WHERE 'null' = ANY (p.using_gaps)
    ), asked AS MATERIALIZED (
        -- what policies compare with the context leads to rows as well as the tenant does
        SELECT DISTINCT p.relation_id, c AS column_number FROM steward_internal.tenant_policy_rows(policies) p, unnest(p.using_columns) c
         WHERE p.is_permissive AND p.command IN ('r', '*')
         UNION
        SELECT t.relation_id, t.column_number FROM tables t
    ), indexed AS MATERIALIZED (
        SELECT DISTINCT i.indrelid FROM pg_index i JOIN asked a ON a.relation_id = i.indrelid AND a.column_number = i.indkey[0]
         WHERE i.indisvalid AND i.indpred IS NULL
    ), hidden AS MATERIALIZED (
        -- what nobody may read but functions that policies call needs no policy
        SELECT DISTINCT r AS relation_id FROM unnest(helpers) h, unnest(h.relations) r
         UNION
        SELECT t.relation_id FROM tables t WHERE t.is_root
    )
    SELECT f.rule, f.severity, t.qualified_name, f.detail, f.remedy, f.part
      FROM tables t
      LEFT JOIN open o ON o.relation_id = t.relation_id
      LEFT JOIN tables p ON p.relation_id = t.parent_id
      LEFT JOIN indexed i ON i.indrelid = t.relation_id
     -- policies that are there are meant
     CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN NOT EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = t.relation_id)
                                              THEN steward_internal.tenant_protect_command(t.qualified_name, t.column_name, t.column_type) END,
                                         format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;', t.qualified_name))
                        ) m (mend)
     CROSS JOIN LATERAL (VALUES
           ('no_rls', CASE WHEN o.relation_id IS NULL THEN 'WARNING' ELSE 'CRITICAL' END,
            t.kind <> 'f' AND NOT t.row_security AND t.parent_id IS NULL
            AND NOT (o.relation_id IS NULL AND t.relation_id IN (SELECT h.relation_id FROM hidden h)),
            'Row security is off: whoever may read the table reads the rows of all tenants.',
            m.mend, NULL),
           ('uncovered_partition', 'CRITICAL',
            t.kind <> 'f' AND NOT t.row_security AND t.parent_id IS NOT NULL AND o.relation_id IS NOT NULL,
            CASE WHEN p.row_security THEN 'The policies of its parent do not hold for who reads or writes it directly, and it has none of its own.'
                 ELSE 'Row security is off: whoever may read the table reads the rows of all tenants.' END,
            CASE WHEN EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = p.relation_id AND y.polname = 'steward_tenant_floor')
                 THEN format('SELECT steward.tenant_protect_partitions(%L);', p.qualified_name) ELSE m.mend END, NULL),
           ('no_force', 'WARNING', t.row_security AND NOT t.forced,
            format('The owner, %I, sees the rows of all tenants, and so do the owner''s views and SECURITY DEFINER functions.', pg_get_userbyid(t.owner_id)),
            format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', t.qualified_name), NULL),
           ('foreign_table', 'CRITICAL', t.kind = 'f' AND o.relation_id IS NOT NULL,
            'A foreign table cannot have policies: whoever may read it reads the rows of all tenants.',
            NULL, NULL),
           ('nullable_column', 'WARNING', t.kind <> 'f' AND NOT t.column_not_null AND t.relation_id NOT IN (SELECT s.relation_id FROM shared s)
            AND (p.relation_id IS NULL OR p.column_not_null),
            format('Rows may have no tenant: nobody sees them, until a policy says IS NOT DISTINCT FROM or tests %I for null.', t.column_name),
            format('ALTER TABLE %s ALTER %I SET NOT NULL;', t.qualified_name, t.column_name), NULL),
           ('no_tenant_index', 'WARNING',
            t.kind <> 'f' AND i.indrelid IS NULL AND NOT t.is_partition
            AND NOT EXISTS (SELECT FROM pg_partitioned_table k WHERE k.partrelid = t.relation_id AND k.partattrs[0] = t.column_number),
            format('No index starts with %I: each query of a tenant reads the rows of all.', t.column_name),
            format('CREATE INDEX %sON %s (%I);', CASE t.kind WHEN 'r' THEN 'CONCURRENTLY ' END, t.qualified_name, t.column_name), NULL),
           ('tenant_type', 'WARNING', t.kind <> 'f' AND p.relation_id IS NULL AND NOT steward_internal.tenant_type_leakproof(t.column_type),
            format('Comparing values of type %s is not leakproof: conditions of the query may be tried on rows of other tenants.', format_type(t.column_type, NULL)),
            NULL, NULL),
           ('tenant_collation', 'CRITICAL',
            EXISTS (SELECT FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation
                     WHERE a.attrelid = t.relation_id AND a.attnum = t.column_number AND NOT c.collisdeterministic),
            format('The collation of %I takes different names for equal: tenants see rows of each other.', t.column_name),
            format('ALTER TABLE %s ALTER %I TYPE text COLLATE "C";', t.qualified_name, t.column_name), NULL)) AS f(rule, severity, found, detail, remedy, part)
     WHERE f.found
     UNION ALL
    SELECT DISTINCT lower(x.privilege COLLATE "C") || '_grant', CASE x.privilege WHEN 'REFERENCES' THEN 'WARNING' ELSE 'CRITICAL' END, t.qualified_name,
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
COMMENT ON FUNCTION steward_internal.tenant_check_tables(steward_internal.tenant_table[], steward_internal.tenant_policy[], steward_internal.tenant_helper[], oid[]) IS
'Returns what tenant_check() finds of tables and the rights on them.';

CREATE FUNCTION steward_internal.tenant_check_policies(tables steward_internal.tenant_table[], policies steward_internal.tenant_policy[],
    roles oid[], roles_named boolean,
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH grants AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_grants(tables, true)
    ), policies AS MATERIALIZED (
        SELECT p.*, t.qualified_name, t.column_name, t.column_number, t.column_not_null, t.column_type
          FROM steward_internal.tenant_policy_rows(policies) p
          JOIN steward_internal.tenant_rows(tables) t ON t.relation_id = p.relation_id AND t.row_security
    ), clauses AS MATERIALIZED (
        -- what each decides; without a WITH CHECK, USING is it
        SELECT p.policy_id, p.relation_id, p.is_permissive, p.role_ids, k.command, k.clause,
               CASE WHEN k.clause = 'check' AND p.has_check THEN p.check_implied ELSE p.using_implied END AS implied,
               CASE WHEN k.clause = 'check' AND p.has_check THEN p.check_gaps ELSE p.using_gaps END AS gaps,
               CASE WHEN k.clause = 'check' AND p.has_check THEN p.check_columns ELSE p.using_columns END AS columns
          FROM policies p
          JOIN (VALUES ('r', 'using'), ('a', 'check'), ('w', 'using'), ('w', 'check'), ('d', 'using')) AS k(command, clause)
            ON p.command IN ('*', k.command::"char")
    ), reach AS MATERIALIZED (
        SELECT r AS role_id, g.grantee FROM unnest(roles) r
          JOIN (SELECT unnest(p.role_ids) AS grantee FROM policies p
                 UNION SELECT g.grantee FROM grants g) g
            ON CASE g.grantee WHEN 0 THEN true ELSE pg_has_role(r, g.grantee, 'USAGE') END
         UNION ALL
        SELECT 0, 0
    ), gaps AS MATERIALIZED (
        SELECT * FROM clauses c WHERE c.is_permissive AND NOT c.implied
    ), considered AS MATERIALIZED (
        SELECT g.relation_id, r.role_id, bool_or(g.privileges && '{INSERT,UPDATE}') AS writes
          FROM grants g
          JOIN reach r USING (grantee)
         WHERE g.relation_id IN (SELECT p.relation_id FROM gaps p) AND r.role_id <> 0
           AND g.privileges && '{SELECT,INSERT,UPDATE,DELETE}'
         GROUP BY g.relation_id, r.role_id
    ), users AS MATERIALIZED (
        SELECT c.relation_id, c.role_id FROM considered c
         UNION
        -- a role that a policy names is meant to get rights
        SELECT c.relation_id, r.role_id FROM clauses c JOIN reach r ON r.role_id <> 0 AND r.grantee <> 0 AND r.grantee = ANY (c.role_ids)
         WHERE c.relation_id IN (SELECT g.relation_id FROM gaps g)
         UNION
        -- where nobody has rights yet, everybody may get them
        SELECT g.relation_id, 0::oid FROM gaps g WHERE g.relation_id NOT IN (SELECT c.relation_id FROM considered c)
    ), applies AS MATERIALIZED (
        SELECT DISTINCT g.policy_id, g.relation_id, u.role_id
          FROM (SELECT DISTINCT p.policy_id, p.relation_id, p.role_ids FROM gaps p) g
          JOIN users u ON u.relation_id = g.relation_id
          JOIN reach r ON r.role_id = u.role_id AND r.grantee = ANY (g.role_ids)
    ), bound AS MATERIALIZED (
        -- what restrictive policies make up for
        SELECT DISTINCT c.relation_id, c.command, c.clause, r.role_id
          FROM clauses c
          JOIN reach r ON r.grantee = ANY (c.role_ids)
         WHERE NOT c.is_permissive AND c.implied
    ), kept AS MATERIALIZED (
        -- the roles that some policy keeps in
        SELECT u.relation_id, u.role_id, bool_or(0 <> ALL (c.role_ids)) AS by_name
          FROM clauses c
          JOIN users u ON u.relation_id = c.relation_id
          JOIN reach r ON r.role_id = u.role_id AND r.grantee = ANY (c.role_ids)
         WHERE c.is_permissive AND c.implied
         GROUP BY u.relation_id, u.role_id
    ), exempt AS MATERIALIZED (
        -- a role that is named because it may see everything, while others may not
        SELECT a.policy_id, a.role_id
          FROM applies a
          JOIN policies p ON p.policy_id = a.policy_id
          LEFT JOIN kept k ON k.relation_id = a.relation_id AND k.role_id = a.role_id
         WHERE NOT roles_named AND 0 <> ALL (p.role_ids)
           AND (k.role_id IS NULL OR NOT k.by_name AND p.command = '*')
           AND a.policy_id IN (SELECT g.policy_id
                           FROM (SELECT DISTINCT x.policy_id, x.relation_id FROM applies x) g
                           JOIN kept o ON o.relation_id = g.relation_id
                           LEFT JOIN applies y ON y.policy_id = g.policy_id AND y.role_id = o.role_id
                          WHERE y.policy_id IS NULL)
    ), open AS MATERIALIZED (
        SELECT g.policy_id, g.clause, g.gaps, g.columns, bool_or(g.command = 'r') AS reads, bool_or(g.clause = 'check' AND c.writes) AS writes
          FROM gaps g
          JOIN applies a ON a.policy_id = g.policy_id
          LEFT JOIN considered c ON c.relation_id = a.relation_id AND c.role_id = a.role_id
          LEFT JOIN exempt e ON e.policy_id = a.policy_id AND e.role_id = a.role_id
         WHERE NOT (g.gaps = '{constant}' AND e.policy_id IS NOT NULL)
           AND NOT EXISTS (SELECT FROM bound b
                            WHERE b.relation_id = g.relation_id AND b.command = g.command AND b.clause = g.clause AND b.role_id = a.role_id)
         GROUP BY g.policy_id, g.clause, g.gaps, g.columns
    ), models AS MATERIALIZED (
        -- a condition that the table has already, to make a floor of
        SELECT DISTINCT ON (g.relation_id) g.relation_id, y.polqual
          FROM policies g JOIN pg_policy y ON y.oid = g.policy_id
         WHERE g.using_implied AND NOT g.fixed AND NOT g.not_distinct AND g.is_permissive AND g.column_number = ANY (g.using_columns)
         ORDER BY g.relation_id, g.policy_name
    ), found AS MATERIALIZED (
        SELECT p.*, o.clause, o.columns, EXISTS (SELECT FROM open w WHERE w.policy_id = o.policy_id AND w.writes AND 'user' = ANY (w.gaps)) AS gives,
               CASE WHEN 'fail open' = ANY (o.gaps) THEN 'fail_open'
                    WHEN 'or' = ANY (o.gaps) THEN 'or_bypass'
                    WHEN 'tautology' = ANY (o.gaps) THEN 'tautology'
                    WHEN 'constant' = ANY (o.gaps) THEN CASE WHEN o.reads THEN 'constant_read' ELSE 'constant_write' END
                    WHEN 'empty' = ANY (o.gaps) THEN 'empty_context'
                    WHEN 'null' = ANY (o.gaps) THEN 'shared_rows'
                    WHEN 'column' = ANY (o.gaps) THEN 'wrong_column'
                    WHEN 'user' = ANY (o.gaps) THEN 'user_rows'
                    WHEN o.clause = 'check' AND p.using_implied THEN 'loose_check'
                    ELSE 'no_tenant_condition' END AS rule
          FROM open o
          JOIN policies p USING (policy_id)
         WHERE o.clause = 'using' OR p.has_check
    )
    SELECT f.rule, CASE WHEN f.rule = 'shared_rows' OR f.rule = 'user_rows' AND NOT f.gives THEN 'INFO' WHEN f.rule IN ('user_rows', 'empty_context') THEN 'WARNING' ELSE 'CRITICAL' END, f.qualified_name,
           format(CASE f.rule
                  WHEN 'fail_open' THEN 'Policy %1$I lets all rows pass where no tenant is set.'
                  WHEN 'or_bypass' THEN 'Policy %1$I has a branch that lets rows pass whatever their %2$I.'
                  WHEN 'tautology' THEN 'Policy %1$I compares something with itself, which holds for the rows of all tenants.'
                  WHEN 'constant_read' THEN 'Policy %1$I is true: it shows the rows of all tenants.'
                  WHEN 'constant_write' THEN 'Policy %1$I is true: rows of other tenants can be changed, or rows given to them.'
                  WHEN 'empty_context' THEN 'Policy %1$I shows rows whose %2$I is empty: so is the setting once a transaction that set it has ended. Put it in nullif().'
                  WHEN 'shared_rows' THEN 'Policy %1$I lets everybody at rows whose %2$I is null.'
                  WHEN 'user_rows' THEN CASE WHEN f.gives THEN 'Policy %1$I lets users at their rows of whatever %2$I, and give them to any.'
                                             ELSE 'Policy %1$I lets users at their rows of whatever %2$I.' END
                  WHEN 'wrong_column' THEN 'Policy %1$I compares %3$s with the context, but not %2$I.'
                  WHEN 'loose_check' THEN 'Policy %1$I shows the rows of one tenant, but lets rows be given to any.'
                  ELSE 'Policy %1$I does not compare %2$I with the context.' END,
                  f.policy_name, f.column_name,
                  (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                    WHERE a.attrelid = f.relation_id AND a.attnum = ANY (f.columns))),
           CASE WHEN f.rule IN ('shared_rows', 'empty_context') OR f.rule = 'user_rows' AND NOT f.gives THEN NULL
                WHEN (f.clause = 'check' AND f.using_implied) IS NOT TRUE AND m.relation_id IS NULL
                THEN steward_internal.tenant_protect_command(f.qualified_name, f.column_name, f.column_type)
                WHEN f.clause = 'check' AND f.using_implied
                THEN format('ALTER POLICY %I ON %s WITH CHECK (', f.policy_name, f.qualified_name) || steward_internal.tenant_expression_text((SELECT y.polqual FROM pg_policy y WHERE y.oid = f.policy_id), f.relation_id) || ');'
                ELSE format('CREATE POLICY %I ON %s AS RESTRICTIVE USING (', left(f.policy_name::text, 40) || '_floor', f.qualified_name) || steward_internal.tenant_expression_text(m.polqual, m.relation_id) || ');' END,
           quote_ident(f.policy_name)
      FROM (SELECT DISTINCT ON (f.policy_id, f.rule) f.* FROM found f ORDER BY f.policy_id, f.rule, f.clause DESC) f
      LEFT JOIN models m ON m.relation_id = f.relation_id
     UNION ALL
    SELECT w.rule, w.severity, p.qualified_name, w.detail, w.remedy, quote_ident(p.policy_name)
      FROM policies p
     CROSS JOIN LATERAL (VALUES
           ('column_cast', 'WARNING', p.casts,
            format('Policy %I converts %I before it compares it: no index on the column can be used.', p.policy_name, p.column_name), NULL::text),
           ('fixed_tenant', 'WARNING', p.fixed AND 0 = ANY (p.role_ids),
            format('Policy %I gives the rows of one fixed tenant to everybody, or to who has set none.', p.policy_name), NULL),
           ('fail_open_null', 'WARNING', p.not_distinct AND NOT p.column_not_null,
            format('Policy %I lets rows without tenant pass where no tenant is set.', p.policy_name),
            format('ALTER TABLE %s ALTER %I SET NOT NULL;', p.qualified_name, p.column_name))) AS w(rule, severity, found, detail, remedy)
     WHERE w.found;
END;
COMMENT ON FUNCTION steward_internal.tenant_check_policies(steward_internal.tenant_table[], steward_internal.tenant_policy[], oid[], boolean) IS
'Returns what tenant_check() finds of what policies say.';

CREATE FUNCTION steward_internal.tenant_foreign_keys(tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL,
    OUT constraint_name name, OUT relation_id oid, OUT qualified_name text, OUT tenant_column name, OUT key_columns name[],
    OUT referenced_id oid, OUT referenced_name text, OUT referenced_tenant name, OUT referenced_columns name[],
    OUT cascades boolean, OUT definition text, OUT needs_unique boolean) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_tables(tenant_columns, NULL)
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
       -- nor those that refer to a tenant, and not to a row of one
       AND c.confkey <> ARRAY[r.column_number]
       AND NOT EXISTS (SELECT FROM unnest(c.conkey, c.confkey) k (here, there) WHERE k.here = t.column_number AND k.there = r.column_number);
END;
COMMENT ON FUNCTION steward_internal.tenant_foreign_keys(name[], regnamespace[]) IS
'Returns the foreign keys between tables of tenants that do not contain the tenant on both sides, and how they would.';

CREATE FUNCTION steward_internal.tenant_check_keys(tables steward_internal.tenant_table[], tenant_columns name[], schemas regnamespace[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_rows(tables)
    )
    SELECT CASE WHEN k.cascades THEN 'foreign_key_cascade' ELSE 'foreign_key' END, CASE WHEN k.cascades THEN 'CRITICAL' ELSE 'WARNING' END,
           k.qualified_name,
           format(CASE WHEN k.cascades THEN 'Foreign key %1$I to %2$s lacks the tenant: when one tenant deletes or changes a row, rows of others go or change with it.'
                       ELSE 'Foreign key %1$I to %2$s lacks the tenant: rows may refer to rows of other tenants, and errors tell which exist.' END,
                  k.constraint_name, k.referenced_name),
           CASE WHEN k.definition IS NOT NULL THEN format('%1$sALTER TABLE %2$s DROP CONSTRAINT %3$I, ADD CONSTRAINT %3$I %4$s;',
                  CASE WHEN k.needs_unique THEN format('ALTER TABLE %s ADD UNIQUE (%s); ', k.referenced_name,
                       (SELECT string_agg(quote_ident(c), ', ' ORDER BY n) FROM unnest(k.referenced_tenant || k.referenced_columns) WITH ORDINALITY u (c, n))) END,
                  k.qualified_name, k.constraint_name, k.definition) END, quote_ident(k.constraint_name)
      FROM steward_internal.tenant_foreign_keys(tenant_columns, schemas) k
     UNION ALL
    SELECT 'unique_across_tenants', CASE WHEN EXISTS (
               -- who cannot guess a token learns nothing
               SELECT FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = t.relation_id AND a.attnum = ANY ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
                  AND (a.attname COLLATE "C" ~* '(^|_)(tokens?|secret|hash|digest|nonce|jti|fingerprint|signature|api_?key|uuid|guid)($|_)'
                       OR pg_get_expr(d.adbin, d.adrelid) ~ '(random|uuid)')) THEN 'INFO' ELSE 'WARNING' END, t.qualified_name,
           format('%I is unique across tenants: an insertion that fails tells what another has.', x.relname), NULL, quote_ident(x.relname)
      FROM tables t
      JOIN pg_index i ON i.indrelid = t.relation_id AND (i.indisunique OR i.indisexclusion)
      JOIN pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition
     -- by their names tenants are found
     WHERE NOT t.is_root AND t.column_number <> ALL ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
       AND NOT (i.indexprs IS NOT NULL AND EXISTS (
           SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass
              AND d.refobjid = t.relation_id AND d.refobjsubid = t.column_number)
            AND t.column_number <> ALL (i.indkey::smallint[]))
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
COMMENT ON FUNCTION steward_internal.tenant_check_keys(steward_internal.tenant_table[], name[], regnamespace[]) IS
'Returns what tenant_check() finds of keys.';

CREATE FUNCTION steward_internal.tenant_check_indexes(tables steward_internal.tenant_table[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH indexes AS MATERIALIZED (
        SELECT t.*, x.relname AS index_name, m.amname, i.indkey, i.indclass
          FROM steward_internal.tenant_rows(tables) t
          JOIN pg_index i ON i.indrelid = t.relation_id AND i.indisvalid
          JOIN pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition
          JOIN pg_am m ON m.oid = x.relam
         WHERE NOT i.indisunique AND NOT i.indisexclusion AND t.column_number <> ALL ((i.indkey::smallint[])[0:0])
           AND NOT EXISTS (SELECT FROM pg_partitioned_table k WHERE k.partrelid = t.relation_id AND k.partattrs[0] = t.column_number)
    )
    SELECT 'order_index', 'INFO', i.qualified_name,
           format('Who orders by %I, or asks for a range of it, picks the rows of one tenant out of all that %I leads to.', a.attname, i.index_name),
           format('CREATE INDEX %sON %s (%I, %I);', CASE i.kind WHEN 'r' THEN 'CONCURRENTLY ' END, i.qualified_name, i.column_name, a.attname),
           quote_ident(i.index_name)
      FROM indexes i
      JOIN pg_attribute a ON a.attrelid = i.relation_id AND a.attnum = i.indkey[0]
     WHERE i.amname = 'btree' AND a.attidentity = '' AND a.atttypid NOT IN ('uuid'::regtype, 'boolean'::regtype)
       -- it serves a foreign key, or a policy
       AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = i.relation_id AND c.contype = 'f' AND a.attnum = ANY (c.conkey))
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_class'::regclass
                                                 AND d.refobjid = i.relation_id AND d.refobjsubid = a.attnum)
       AND NOT EXISTS (SELECT FROM pg_index o JOIN pg_class x ON x.oid = o.indexrelid JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
                        WHERE o.indrelid = i.relation_id AND o.indisvalid AND o.indkey[0] = i.column_number AND o.indkey[1] = a.attnum)
     UNION ALL
    SELECT 'leaky_index', 'INFO', i.qualified_name,
           format('No query that policies hold for can use %I: its operators are not leakproof, so they are tried after the policy.%s', i.index_name,
                  CASE WHEN 'tsvector_ops' IN (SELECT c.opcname FROM pg_opclass c WHERE c.oid = ANY (i.indclass::oid[])) THEN ' steward.tenant_search() can.' END),
           NULL, quote_ident(i.index_name)
      FROM indexes i
     WHERE i.row_security AND i.amname NOT IN ('btree', 'hash', 'brin') AND i.column_number <> ALL (i.indkey::smallint[])
       -- an order may be had from an index whatever the policy
       AND NOT EXISTS (SELECT FROM unnest(i.indclass::oid[]) k (opclass)
                         JOIN pg_opclass c ON c.oid = k.opclass
                         JOIN pg_amop o ON o.amopfamily = c.opcfamily AND o.amoplefttype = c.opcintype
                         JOIN pg_operator p ON p.oid = o.amopopr
                        WHERE o.amoppurpose = 'o' OR (SELECT f.proleakproof FROM pg_proc f WHERE f.oid = p.oprcode))
       -- who has search_enable() do it knows how to search
       AND NOT EXISTS (SELECT FROM pg_trigger g
                         JOIN pg_proc f ON f.oid = g.tgfoid AND f.pronamespace = 'steward'::regnamespace AND f.proname = 'search_vector_trigger'
                         JOIN pg_attribute a ON a.attrelid = i.relation_id AND a.attnum = i.indkey[0]
                        WHERE g.tgrelid = i.relation_id AND starts_with(encode(g.tgargs, 'hex'), encode(convert_to(a.attname, getdatabaseencoding()), 'hex') || '00'));
END;
COMMENT ON FUNCTION steward_internal.tenant_check_indexes(steward_internal.tenant_table[]) IS
'Returns what tenant_check() finds of indexes that policies keep from being of use.';
