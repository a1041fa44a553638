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
    acl             aclitem[],
    is_root         boolean
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
           c.relispartition, i.inhparent, a.attnum, a.attname, a.atttypid, a.attnotnull, c.relacl, false
      FROM unnest(tenant_columns) WITH ORDINALITY w (name, position)
      JOIN pg_attribute a ON a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
      LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhseqno = 1
     WHERE (schemas IS NULL OR c.relnamespace = ANY (schemas))
       AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
     ORDER BY c.oid, w.position;
END;
COMMENT ON FUNCTION steward_internal.tenant_tables(name[], regnamespace[]) IS
'Returns the tables whose rows belong to tenants: those that have one of the columns.';

CREATE FUNCTION steward_internal.tenant_singular(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN name ~ 'ies$' THEN left(name, -3) || 'y' WHEN name ~ '(s|x|z|ch|sh)es$' THEN left(name, -2) WHEN name ~ '[^s]s$' THEN left(name, -1) ELSE name END;
COMMENT ON FUNCTION steward_internal.tenant_singular(text) IS
'Returns the singular of the name of a table in English, as far as endings tell.';

CREATE FUNCTION steward_internal.tenant_key_name(column_name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN replace(lower(substring(column_name, '^(.+?)_?(?:id|Id|ID|uuid|key)$') COLLATE "C"), '_', '');
COMMENT ON FUNCTION steward_internal.tenant_key_name(text) IS
'Returns what a column named order_id or orderId refers to by its name, order; null for other names.';

CREATE FUNCTION steward_internal.tenant_key_command(relation oid, parent oid) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    SELECT format('ALTER TABLE %I.%I ADD FOREIGN KEY (%I) REFERENCES %I.%I', n.nspname, c.relname, a.attname, pn.nspname, p.relname)
           -- the server validates those of partitioned tables at once
           || CASE c.relkind WHEN 'p' THEN '' ELSE ' NOT VALID' END
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class p ON p.oid = parent
      JOIN pg_namespace pn ON pn.oid = p.relnamespace
      JOIN pg_index i ON i.indrelid = p.oid AND i.indisprimary AND i.indnkeyatts = 1
      JOIN pg_attribute k ON k.attrelid = p.oid AND k.attnum = i.indkey[0]
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = k.atttypid
       AND steward_internal.tenant_key_name(a.attname) IN (
           SELECT replace(steward_internal.tenant_singular(t.name), '_', '')
             FROM (SELECT lower(p.relname COLLATE "C") UNION SELECT regexp_replace(lower(p.relname COLLATE "C"), '^[^_]+_', '')) t (name))
     WHERE c.oid = relation
       AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f' AND a.attnum = ANY (f.conkey))
     ORDER BY a.attnum LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.tenant_key_command(oid, oid) IS
'Returns the command that adds the foreign key of one table to another that it lacks, by the name and type of a column; null if none is named so.';

CREATE FUNCTION steward_internal.tenant_roots(tables steward_internal.tenant_table[], schemas regnamespace[] DEFAULT NULL)
RETURNS SETOF steward_internal.tenant_table
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_rows(tables)
    ), referenced AS (
        SELECT c.confrelid AS oid, k.there AS column_number
          FROM tables t
          JOIN pg_constraint c ON c.conrelid = t.relation_id AND c.contype = 'f'
         CROSS JOIN LATERAL unnest(c.conkey, c.confkey) k (here, there)
         WHERE k.here = t.column_number
         UNION
        -- without a foreign key, a table of its name: tenant_id is the id of tenants
        SELECT c.oid, i.indkey[0]
          FROM (SELECT DISTINCT t.schema_id, t.column_type, steward_internal.tenant_key_name(t.column_name) AS name FROM tables t) t
          JOIN pg_class c ON c.relnamespace = t.schema_id AND c.relkind IN ('r', 'p')
           AND replace(steward_internal.tenant_singular(lower(c.relname COLLATE "C")), '_', '') = t.name
          JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] AND a.atttypid = t.column_type
    )
    SELECT DISTINCT ON (c.oid) c.oid, format('%I.%I', n.nspname, c.relname), c.relkind, n.oid, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
           c.relispartition, NULL::oid, a.attnum, a.attname, a.atttypid, a.attnotnull, c.relacl, true
      FROM referenced r
      JOIN pg_class c ON c.oid = r.oid AND c.relpersistence <> 't'
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT IN ('steward', 'steward_internal')
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = r.column_number
     WHERE (schemas IS NULL OR c.relnamespace = ANY (schemas)) AND c.oid NOT IN (SELECT t.relation_id FROM tables t)
     ORDER BY c.oid, a.attnum;
END;
COMMENT ON FUNCTION steward_internal.tenant_roots(steward_internal.tenant_table[], regnamespace[]) IS
'Returns the tables of tenants themselves: those that the columns of tenants refer to.';

CREATE FUNCTION steward_internal.tenant_parent(relation regclass, column_name name) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE up AS (
        SELECT c.confrelid AS first_id, c.confdeltype = 'c' AS is_owned, c.confrelid, 1 AS depth
          FROM pg_constraint c WHERE c.conrelid = relation AND c.contype = 'f' AND c.confrelid <> relation
         UNION
        SELECT u.first_id, u.is_owned, c.confrelid, u.depth + 1
          FROM up u JOIN pg_constraint c ON c.conrelid = u.confrelid AND c.contype = 'f' AND c.confrelid <> c.conrelid WHERE u.depth < 16
    )
    SELECT u.first_id::regclass FROM up u
      JOIN pg_attribute a ON a.attrelid = u.confrelid AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
     -- what goes with its parent belongs to it more than what only names it
     ORDER BY u.depth, u.is_owned DESC, u.first_id LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.tenant_parent(regclass, name) IS
'Returns the table by which another leads soonest to one that has the column of the tenant, by foreign keys.';

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
    WITH granted AS MATERIALIZED (
        SELECT DISTINCT g.grantee FROM steward_internal.tenant_grants(tables) g
         WHERE g.privileges && '{SELECT,INSERT,UPDATE,DELETE}'
    ), grantees AS MATERIALIZED (
        SELECT g.grantee FROM granted g
         UNION
        -- who is named by policies has rights, or will have them; likewise by default
        SELECT unnest(p.polroles) FROM pg_policy p JOIN steward_internal.tenant_rows(tables) t ON t.relation_id = p.polrelid
         UNION
        SELECT x.grantee FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) x
         WHERE d.defaclobjtype = 'r' AND x.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
           AND d.defaclrole IN (SELECT t.owner_id FROM steward_internal.tenant_rows(tables) t)
           AND d.defaclnamespace IN (SELECT t.schema_id FROM steward_internal.tenant_rows(tables) t UNION SELECT 0)
    ), owners AS MATERIALIZED (
        SELECT DISTINCT t.owner_id FROM steward_internal.tenant_rows(tables) t
    )
    SELECT r.oid FROM pg_roles r
     WHERE NOT r.rolsuper
       AND (r.oid IN (SELECT g.grantee FROM grantees g) AND r.oid NOT IN (SELECT o.owner_id FROM owners o)
            OR r.rolcanlogin AND EXISTS (SELECT FROM granted g WHERE CASE g.grantee WHEN 0 THEN true ELSE pg_has_role(r.oid, g.grantee, 'MEMBER') END));
END $$;
COMMENT ON FUNCTION steward_internal.tenant_roles(steward_internal.tenant_table[], name[]) IS
'Returns the roles of the application: those named or, if none are, those that may read or write tenants'' tables, or will, without owning them.';

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

--
-- What policies say
--

CREATE FUNCTION steward_internal.tenant_expression(expression pg_node_tree, tenant_column smallint, relation oid,
    OUT implied boolean, OUT gaps text[], OUT casts boolean, OUT fixed boolean, OUT not_distinct boolean,
    OUT columns smallint[], OUT context_functions oid[], OUT row_functions oid[], OUT settings text[],
    OUT texts text[], OUT relations oid[], OUT asks boolean, OUT sets boolean)
AS 'MODULE_PATHNAME', 'steward_tenant_expression' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.tenant_expression(pg_node_tree, smallint, oid) IS
'Returns what the expression of a policy says of a column: whether rows that meet it are the tenant''s and, if not, why; and what it calls and reads.';

CREATE FUNCTION steward_internal.tenant_function(function oid,
    OUT asks boolean, OUT sets boolean, OUT settings text[], OUT texts text[], OUT relations oid[])
AS 'MODULE_PATHNAME', 'steward_tenant_function' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.tenant_function(oid) IS
'Returns whether a function whose body is SQL that was parsed asks for the context or sets a setting, and what it reads; null for others.';

CREATE TYPE steward_internal.tenant_policy AS (
    policy_id         oid,
    policy_name       name,
    relation_id       oid,
    command           "char",
    is_permissive     boolean,
    role_ids          oid[],
    has_check         boolean,
    using_implied     boolean,
    using_gaps        text[],
    using_columns     smallint[],
    using_relations   oid[],
    check_implied     boolean,
    check_gaps        text[],
    check_columns     smallint[],
    casts             boolean,
    fixed             boolean,
    not_distinct      boolean,
    sets              boolean,
    context_functions oid[],
    row_functions     oid[],
    settings          text[],
    texts             text[],
    relations         oid[]
);
COMMENT ON TYPE steward_internal.tenant_policy IS
'What tenant_check() knows of a policy.';

CREATE FUNCTION steward_internal.tenant_policy_rows(policies steward_internal.tenant_policy[]) RETURNS SETOF steward_internal.tenant_policy
AS 'array_unnest' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE ROWS 5000;
COMMENT ON FUNCTION steward_internal.tenant_policy_rows(steward_internal.tenant_policy[]) IS
'Returns the elements of an array of policies.';

CREATE FUNCTION steward_internal.tenant_policy_facts(tables steward_internal.tenant_table[]) RETURNS SETOF steward_internal.tenant_policy
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.oid, p.polname, p.polrelid, p.polcmd, p.polpermissive, p.polroles, p.polwithcheck IS NOT NULL,
           u.implied, u.gaps, u.columns, u.relations, c.implied, c.gaps, c.columns,
           coalesce(u.casts, false) OR coalesce(c.casts, false), coalesce(u.fixed, false) OR coalesce(c.fixed, false),
           coalesce(u.not_distinct, false) OR coalesce(c.not_distinct, false), coalesce(u.sets, false) OR coalesce(c.sets, false),
           coalesce(u.context_functions, '{}') || coalesce(c.context_functions, '{}'), coalesce(u.row_functions, '{}') || coalesce(c.row_functions, '{}'),
           coalesce(u.settings, '{}') || coalesce(c.settings, '{}'), coalesce(u.texts, '{}') || coalesce(c.texts, '{}'),
           coalesce(u.relations, '{}') || coalesce(c.relations, '{}')
      FROM steward_internal.tenant_rows(tables) t
      JOIN pg_policy p ON p.polrelid = t.relation_id
      LEFT JOIN LATERAL steward_internal.tenant_expression(p.polqual, t.column_number, t.relation_id) u ON p.polqual IS NOT NULL
      LEFT JOIN LATERAL steward_internal.tenant_expression(p.polwithcheck, t.column_number, t.relation_id) c ON p.polwithcheck IS NOT NULL;
END;
COMMENT ON FUNCTION steward_internal.tenant_policy_facts(steward_internal.tenant_table[]) IS
'Returns the policies of tables, and what they say of the column of the tenant.';

CREATE TYPE steward_internal.tenant_helper AS (
    function_id oid,
    helper_id   oid,
    is_definer  boolean,
    asks        boolean,
    sets        boolean,
    user_claim  boolean,
    fixed       boolean,
    settings    text[],
    relations   oid[],
    words       text[]
);
COMMENT ON TYPE steward_internal.tenant_helper IS
'What tenant_check() knows of a function that a policy calls, and of those that it calls in turn.';

-- A body that is a text is not parsed: what has the looks of a call, or comes after FROM and JOIN, is taken for one.
CREATE FUNCTION steward_internal.tenant_helpers(policies steward_internal.tenant_policy[]) RETURNS SETOF steward_internal.tenant_helper
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE bodies AS (
        SELECT f.oid, f.prosecdef, f.pronamespace, f.prorettype, regexp_replace(regexp_replace(f.prosrc, '/\*.*?\*/', ' ', 'g'), '--[^\n]*', ' ', 'g') AS body
          FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang AND l.lanname NOT IN ('internal', 'c')
         WHERE f.oid >= 16384 AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_proc'::regclass AND e.object_id = f.oid)
    ), called AS (
        SELECT b.oid AS function_id, b.oid AS helper_id
          FROM (SELECT DISTINCT unnest(p.context_functions || p.row_functions) AS oid FROM steward_internal.tenant_policy_rows(policies) p) p
          JOIN bodies b USING (oid)
         UNION
        SELECT c.function_id, n.oid
          FROM called c
          JOIN bodies b ON b.oid = c.helper_id
         CROSS JOIN LATERAL (
               SELECT f.oid FROM regexp_matches(b.body, '([[:alnum:]_$]+)"?\s*\(', 'g') w JOIN pg_proc f ON f.proname IN (w[1], lower(w[1] COLLATE "C"))
                UNION
               SELECT d.refobjid FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = b.oid AND d.refclassid = 'pg_proc'::regclass) n
          JOIN bodies m ON m.oid = n.oid
    ), facts AS MATERIALIZED (
        SELECT b.oid, b.prosecdef, x.sets IS NOT NULL AS is_parsed,
               coalesce(x.asks, b.body COLLATE "C" ~* '\m(current_setting|current_user|session_user|current_role|current_tenant\w*|current_user_id\w*|is_current_\w+)\M') AS asks,
               coalesce(x.sets, b.body COLLATE "C" ~* '\mset_config\s*\(') AS sets,
               coalesce(array_to_string(x.texts, ' '), b.body) COLLATE "C" ~* '\m(raw_)?user_meta_?data\M' AS user_claim,
               -- a value that is no null, no empty text and no document, where a tenant is returned
               x.sets IS NULL AND b.prorettype <> 'boolean'::regtype
               AND b.body COLLATE "C" ~* ('(\mcoalesce\s*\((?:[^();]|\((?:[^();]|\((?:[^();]|\([^();]*\))*\))*\))*,|\m(?:then|else|return)\M)\s*'
                              '(?:''[^''{[]+''|[0-9]+)\s*(?:::\s*\w+\s*)?(?:\)|;|$|\mend\M|\melse\M|\mwhen\M)') AS fixed,
               coalesce(x.settings, ARRAY(SELECT m[1] FROM regexp_matches(b.body COLLATE "C", 'current_setting\s*\(\s*''([^'']+)', 'gi') m)) AS settings,
               coalesce(x.relations, ARRAY(
                   SELECT c.oid
                     FROM regexp_matches(b.body, '(?:\m(?:from|join)\M|,)\s*(?:\m(?:only|lateral)\s+)?("[^"]+"|[[:alnum:]_$]+)(?:\s*\.\s*("[^"]+"|[[:alnum:]_$]+))?', 'gi') m
                    CROSS JOIN LATERAL (SELECT CASE WHEN m[2] IS NOT NULL THEN m[1] END, coalesce(m[2], m[1])) w (schema_name, table_name)
                     JOIN pg_class c ON c.relname IN (btrim(w.table_name, '"'), lower(w.table_name COLLATE "C")) AND c.relkind IN ('r', 'p', 'v') AND c.oid >= 16384
                     JOIN pg_namespace n ON n.oid = c.relnamespace AND (w.schema_name IS NULL OR n.nspname IN (btrim(w.schema_name, '"'), lower(w.schema_name COLLATE "C")))
                    GROUP BY c.oid)) AS relations,
               CASE WHEN x.sets IS NULL THEN regexp_split_to_array(lower(b.body COLLATE "C"), '[^[:alnum:]_$]+') END AS words
          FROM bodies b
          LEFT JOIN LATERAL steward_internal.tenant_function(b.oid) x ON true
         WHERE b.oid IN (SELECT c.helper_id FROM called c)
    )
    SELECT c.function_id, c.helper_id, f.prosecdef, f.asks, f.sets, f.user_claim, f.fixed, f.settings, f.relations, f.words
      FROM called c JOIN facts f ON f.oid = c.helper_id;
END;
COMMENT ON FUNCTION steward_internal.tenant_helpers(steward_internal.tenant_policy[]) IS
'Returns the functions that policies call, each with those that it calls in the end, itself among them.';
