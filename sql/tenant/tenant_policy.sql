-- tenant_policy: the policies that keep the rows of tenants and users apart.

-- Permissive policies count together, so which may stand beside which is computed from this list: a new kind is a row
-- here and a call of tenant_build() with its name.
CREATE VIEW steward_internal.tenant_policy_kinds AS
SELECT * FROM (VALUES
    ('steward_tenant_floor'::name, 'tenant', 'ALL', true, true),
    ('steward_tenant', 'tenant', 'ALL', false, true),
    ('steward_shared', 'shared', 'SELECT', false, false),
    ('steward_tree', 'tree', 'SELECT', false, false),
    ('steward_user_floor', 'user', 'ALL', true, false),
    ('steward_user', 'user', 'ALL', false, false),
    ('steward_public', 'visibility', 'SELECT', false, false),
    ('steward_author', 'visibility', 'ALL', false, false),
    ('steward_member', 'member', 'ALL', false, false),
    ('steward_writer_', 'writer', 'ALL', false, false),
    ('steward_admin_', 'admin', 'ALL', false, false)) AS k(policy_name, builder, command, is_floor, is_base);
COMMENT ON VIEW steward_internal.tenant_policy_kinds IS
'The kinds of policies that the builders make.';
COMMENT ON COLUMN steward_internal.tenant_policy_kinds.policy_name IS 'Its name, to which that of a role is added if it ends in _.';
COMMENT ON COLUMN steward_internal.tenant_policy_kinds.builder IS 'What is built together; a table has the policies of one builder, beside base and those of single roles.';
COMMENT ON COLUMN steward_internal.tenant_policy_kinds.is_floor IS 'It is restrictive and cuts down what others give; if not, it gives rows.';
COMMENT ON COLUMN steward_internal.tenant_policy_kinds.is_base IS 'A floor that stays whatever is built later, or rows that are given only where no other builder gives any.';
GRANT SELECT ON steward_internal.tenant_policy_kinds TO PUBLIC;

CREATE FUNCTION steward_internal.tenant_policy_kind(policy_name name) RETURNS steward_internal.tenant_policy_kinds
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT k.* FROM steward_internal.tenant_policy_kinds k
     WHERE CASE WHEN k.policy_name LIKE '%\_' THEN starts_with(tenant_policy_kind.policy_name, k.policy_name)
                ELSE k.policy_name = tenant_policy_kind.policy_name END;
END;
COMMENT ON FUNCTION steward_internal.tenant_policy_kind(name) IS
'Returns the kind of a policy by its name, null for other names.';

-- A restrictive floor lasts as long as it is there and restrictive. So what gives rows has the floors in itself too:
-- USING (floor AND own condition); and other floors that of the base, for servers that take them for permissive. The
-- planner takes equal comparisons for one, in plans and in estimates.
CREATE FUNCTION steward_internal.tenant_policy_within(expression text, floors text[], old_floors text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    own text := expression;
    old_floor text;
BEGIN
    LOOP
        SELECT f INTO old_floor FROM unnest(old_floors) f WHERE starts_with(own, '(' || f || ' AND ') ORDER BY length(f) DESC LIMIT 1;
        EXIT WHEN NOT FOUND;
        own := '(' || substr(own, length(old_floor) + 7);
    END LOOP;
    IF own <> expression THEN
        own := substr(own, 2, length(own) - 2);
    END IF;
    floors := array_remove(floors, own);
    RETURN CASE floors WHEN '{}' THEN own ELSE '(' || array_to_string(floors || own, ' AND ') || ')' END;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_policy_within(text, text[], text[]) IS
'Returns an expression that begins with some of the old floors, as the server writes them, with others in their place.';

-- A policy of ours carries as comment a hash of what the server made of it, and the text that it was made from, for
-- people to read. So a changed policy is known, and dumps keep it all. Nothing that is run comes from a comment: the
-- owner of a table can write anything there.
CREATE FUNCTION steward_internal.tenant_policy_definition(relation regclass, policy_name name, floors text[] DEFAULT '{}', old_floors text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    SELECT format('%s FOR %s', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                  CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END)
           || coalesce(' USING (' || steward_internal.tenant_policy_within(pg_get_expr(p.polqual, p.polrelid), floors, old_floors) || ')', '')
           || coalesce(' WITH CHECK (' || steward_internal.tenant_policy_within(pg_get_expr(p.polwithcheck, p.polrelid), floors, old_floors) || ')', '')
      FROM pg_policy p
     WHERE p.polrelid = relation AND p.polname = policy_name;
END;
COMMENT ON FUNCTION steward_internal.tenant_policy_definition(regclass, name, text[], text[]) IS
'Returns what a policy is by the catalog, but for its roles, with floors in place of old ones.';

CREATE FUNCTION steward_internal.tenant_policy_hash(relation regclass, policy_name name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT left(encode(sha256(convert_to(steward_internal.tenant_policy_definition(relation, policy_name)
                || (SELECT string_agg(CASE r.role WHEN 0 THEN ' PUBLIC' ELSE ' ' || quote_ident(pg_get_userbyid(r.role)) END, ','
                                      ORDER BY pg_get_userbyid(r.role) COLLATE "C")
                      FROM unnest(p.polroles) r(role)), 'UTF8')), 'hex'), 12)
      FROM pg_policy p
     WHERE p.polrelid = relation AND p.polname = policy_name;
END;
COMMENT ON FUNCTION steward_internal.tenant_policy_hash(regclass, name) IS
'Returns a short hash of what a policy is by the catalog.';

CREATE FUNCTION steward_internal.tenant_policy_sign(relation regclass, policy_name name, request text) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('COMMENT ON POLICY %I ON %s IS %L', policy_name, relation,
                   format('steward %s: %s', steward_internal.tenant_policy_hash(relation, policy_name), request));
END $$;
COMMENT ON FUNCTION steward_internal.tenant_policy_sign(regclass, name, text) IS
'Notes with a policy what was asked for, so that tenant_policies can tell whether it is still that.';

CREATE VIEW steward_internal.tenant_own_policies AS
SELECT p.polrelid AS relation_id, p.polname AS policy_name, p.polroles AS role_ids, k.builder,
       k.builder IS NOT DISTINCT FROM 'admin' AS for_admin, coalesce(k.builder IN ('admin', 'writer'), false) AS for_one_role, NOT p.polpermissive AS is_floor, s.signature[2] AS request,
       s.signature[1] = steward_internal.tenant_policy_hash(p.polrelid, p.polname) AS unchanged
  FROM pg_description d
 CROSS JOIN LATERAL (SELECT regexp_match(d.description, '^steward ([0-9a-f]{12}): (.*)$') AS signature) s
  JOIN pg_policy p ON p.oid = d.objoid
 CROSS JOIN LATERAL steward_internal.tenant_policy_kind(p.polname) k
 WHERE d.classoid = 'pg_policy'::regclass AND d.objsubid = 0 AND s.signature IS NOT NULL;
COMMENT ON VIEW steward_internal.tenant_own_policies IS
'The policies that the builders made.';
GRANT SELECT ON steward_internal.tenant_own_policies TO PUBLIC;

--
-- What the builders check
--

CREATE FUNCTION steward_internal.tenant_begin(relation regclass, dry_run boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind "char";
    is_foreign boolean;
BEGIN
    IF dry_run IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'dry_run must not be null';
    END IF;
    PERFORM steward_internal.check_owners(relation);
    SELECT c.relkind, c.relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'steward'::regnamespace, 'steward_internal'::regnamespace)
                      OR EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
      INTO kind, is_foreign
      FROM pg_class c WHERE c.oid = relation;
    IF kind NOT IN ('r', 'p') THEN
        RAISE wrong_object_type USING
            MESSAGE = format('%s cannot have policies', relation),
            HINT = CASE kind WHEN 'v' THEN format('Protect its tables, and ALTER VIEW %s SET (security_invoker = true);', relation)
                             ELSE 'Only tables can. Let no role of the application use it.' END;
    ELSIF is_foreign THEN
        RAISE wrong_object_type USING
            MESSAGE = format('%s is a table of the server or of an extension', relation),
            HINT = 'Let no role of the application use it.';
    END IF;
    -- One at a time, and no partition comes in between; readers and writers go on where nothing is to be done. What
    -- comes after this must be another statement of the caller's, to see what was waited for.
    IF NOT dry_run THEN
        EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_begin(regclass, boolean) IS
'Locks a table unless it is a dry run; raises 42809 for what cannot be protected, and what check_owners() raises.';

CREATE FUNCTION steward_internal.tenant_base_type(relation regclass, column_name name) RETURNS regtype
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- domains over domains too
    WITH RECURSIVE types AS (
        SELECT a.atttypid AS type FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
         UNION ALL
        SELECT y.typbasetype FROM types t JOIN pg_type y ON y.oid = t.type WHERE y.typtype = 'd'
    )
    SELECT t.type FROM types t JOIN pg_type y ON y.oid = t.type WHERE y.typtype <> 'd';
END;
COMMENT ON FUNCTION steward_internal.tenant_base_type(regclass, name) IS
'Returns the type of a column, or what its domain is over.';

CREATE FUNCTION steward_internal.tenant_key_function(relation regclass, column_name name, subject text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    column_type regtype;
    suffix text;
BEGIN
    PERFORM steward_internal.check_column(relation, column_name, 'bigint');
    column_type := steward_internal.tenant_base_type(relation, column_name);
    suffix := CASE column_type
        WHEN 'smallint'::regtype THEN 'int' WHEN 'integer'::regtype THEN 'int' WHEN 'bigint'::regtype THEN 'bigint'
        WHEN 'uuid'::regtype THEN 'uuid' WHEN 'text'::regtype THEN 'text' WHEN 'varchar'::regtype THEN 'text' END;
    IF suffix IS NULL THEN
        RAISE datatype_mismatch USING
            MESSAGE = format('column "%s" of table %s is of type %s', column_name, relation, column_type),
            DETAIL = CASE WHEN steward_internal.tenant_type_leakproof(column_type) THEN 'Tenants and users are integers, UUIDs and texts.'
                          ELSE 'The "=" of that type is not leakproof: under a policy, no query could use it with an index.' END,
            HINT = CASE (SELECT y.typcategory FROM pg_type y WHERE y.oid = column_type)
                   WHEN 'A' THEN 'Put who a row belongs to into a table of members; see steward.tenant_protect_member().'
                   WHEN 'N' THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE bigint;', relation, column_name)
                   ELSE format('ALTER TABLE %s ALTER COLUMN %I TYPE text;', relation, column_name) END;
    ELSIF EXISTS (SELECT FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation
                   WHERE a.attrelid = relation AND a.attname = column_name AND NOT c.collisdeterministic) THEN
        RAISE datatype_mismatch USING
            MESSAGE = format('column "%s" of table %s has a nondeterministic collation', column_name, relation),
            DETAIL = 'Names that it takes for equal would be one tenant or user.',
            HINT = format('ALTER TABLE %s ALTER COLUMN %I TYPE text COLLATE "C";', relation, column_name);
    END IF;
    RETURN format('steward.current_%s_%s()', subject, suffix);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_key_function(regclass, name, text) IS
'Returns the call that gives the current tenant or user_id in the type of a column; raises 42703 or 42804 for one that cannot be compared with it.';

CREATE FUNCTION steward_internal.tenant_policy_condition(relation regclass, column_name name, function_name name) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.tenant_key_function(relation, column_name, CASE WHEN function_name = 'is_current_user' THEN 'user_id' ELSE 'tenant' END);
    -- as the server writes it, by which floors are found in other policies
    RETURN (SELECT format(CASE WHEN a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'uuid'::regtype, 'text'::regtype)
                               THEN 'steward.%I(%I)' ELSE 'steward.%I((%I)::%s)' END,
                          function_name, column_name, CASE b.type WHEN 'varchar'::regtype THEN 'text'::regtype ELSE b.type END)
              FROM pg_attribute a, steward_internal.tenant_base_type(relation, column_name) b(type)
             WHERE a.attrelid = relation AND a.attname = column_name);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_policy_condition(regclass, name, name) IS
'Returns the call of is_current_tenant, is_current_tenant_folded or is_current_user with a column; raises what tenant_key_function() raises.';

CREATE FUNCTION steward_internal.tenant_policy_roles(relation regclass, roles name[]) RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF roles IS NULL THEN
        RETURN coalesce((SELECT p.role_ids FROM steward_internal.tenant_own_policies p
                          WHERE p.relation_id = relation AND NOT p.for_one_role ORDER BY p.policy_name LIMIT 1), '{0}');
    ELSIF roles = '{}' OR 'public' = ANY (roles) THEN
        RETURN '{0}';
    END IF;
    PERFORM steward_internal.check_roles(roles);
    RETURN ARRAY(SELECT DISTINCT quote_ident(r.name)::regrole::oid FROM unnest(roles) r(name));
END $$;
COMMENT ON FUNCTION steward_internal.tenant_policy_roles(regclass, name[]) IS
'Returns the roles that policies are for: those named, for null those of the present policies, or 0 for all. Raises 42704.';

CREATE FUNCTION steward_internal.tenant_check_admins(relation regclass, floor_roles oid[], kept_roles oid[], admins oid[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    admin name;
    kept_in name;
    path text;
BEGIN
    -- a restrictive policy holds for whoever has the rights of its roles
    SELECT pg_get_userbyid(a.role), CASE WHEN f.role <> 0 THEN pg_get_userbyid(f.role) END INTO admin, kept_in
      FROM unnest(admins) a(role)
      JOIN unnest(floor_roles) f(role) ON CASE f.role WHEN 0 THEN true ELSE pg_has_role(a.role, f.role, 'USAGE') END
     ORDER BY 1, 2 LIMIT 1;
    IF kept_in = admin THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('role "%s" cannot be kept in by the policies of %s and be its administrator', admin, relation),
            HINT = format('SELECT * FROM steward.tenant_policies WHERE relation = %L::regclass;', relation);
    ELSIF kept_in IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('role "%s" has the rights of "%s", which the policies of %s keep in', admin, kept_in, relation),
            HINT = format('REVOKE %I FROM %I;', kept_in, admin);
    ELSIF admin IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('policies of %s for all roles would keep in its administrator "%s" too', relation, admin),
            HINT = format('Name the roles of the application, as in SELECT steward.tenant_protect(%L, roles => ''{app}'');', relation);
    END IF;
    SELECT pg_get_userbyid(p.role_id), pg_get_userbyid(p.target_id), p.path INTO kept_in, admin, path
      FROM steward_internal.tenant_role_paths(kept_roles) p
     WHERE p.target_id = ANY (admins) ORDER BY 1, 2 LIMIT 1;
    IF kept_in IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('role "%s", which the policies of %s keep in, can become "%s"', kept_in, relation, admin),
            DETAIL = path,
            HINT = format('REVOKE %I FROM %I;', split_part(path, ' -> ', 2), kept_in);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_check_admins(regclass, oid[], oid[], oid[]) IS
'Raises 55000 where a policy would keep in an administrator, or not those who can become one.';

--
-- The commands
--

CREATE FUNCTION steward_internal.tenant_revoke_commands(relation regclass) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    -- nothing but rights holds for a foreign table, and for these commands
    WITH grants AS (
        SELECT c.relowner, c.relkind, x.grantee, x.privilege_type
          FROM pg_class c, aclexplode(c.relacl) x WHERE c.oid = relation
         UNION
        SELECT c.relowner, c.relkind, x.grantee, x.privilege_type
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) x WHERE c.oid = relation
    )
    SELECT format('REVOKE %s ON %s FROM %s CASCADE', string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type COLLATE "C"), m.qualified_name,
                  CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END)
      FROM grants g
      JOIN steward_internal.table_members(relation) m ON m.member = relation
     WHERE g.grantee <> g.relowner
       AND (g.relkind = 'f' OR g.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER'))
       AND NOT EXISTS (SELECT FROM steward_internal.tenant_own_policies p
                        WHERE p.relation_id = relation AND p.for_admin AND g.grantee = ANY (p.role_ids))
     GROUP BY g.grantee, m.qualified_name
     ORDER BY pg_get_userbyid(g.grantee);
END;
COMMENT ON FUNCTION steward_internal.tenant_revoke_commands(regclass) IS
'Returns the commands that take away rights for which policies do not hold, but from the owner and administrators.';

CREATE FUNCTION steward_internal.tenant_policy_floors(relation regclass, policy_names name[], conditions text[],
    OUT policy_name name, OUT condition text, OUT is_base boolean, OUT is_wanted boolean) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    WITH floor AS (
        SELECT a.policy_name, a.condition, k.is_base, true AS is_wanted
          FROM unnest(policy_names, conditions) a(policy_name, condition) JOIN steward_internal.tenant_policy_kinds k USING (policy_name)
         WHERE k.is_floor AND a.condition IS NOT NULL
         UNION ALL
        SELECT o.policy_name, pg_get_expr(p.polqual, p.polrelid), coalesce(k.is_base, false), o.policy_name <> ALL (policy_names)
          FROM steward_internal.tenant_own_policies o
          JOIN pg_policy p ON p.polrelid = o.relation_id AND p.polname = o.policy_name
          LEFT JOIN steward_internal.tenant_policy_kinds k ON k.policy_name = o.policy_name
         WHERE o.relation_id = relation AND o.is_floor
    )
    SELECT f.policy_name, CASE WHEN f.is_base THEN f.condition ELSE steward_internal.tenant_policy_within(f.condition, '{}', b.conditions) END, f.is_base, f.is_wanted
      FROM floor f, (SELECT coalesce(array_agg(f.condition), '{}') FROM floor f WHERE f.is_base) b(conditions);
END;
COMMENT ON FUNCTION steward_internal.tenant_policy_floors(regclass, name[], text[]) IS
'Returns the floors that a table has, and those that it is to have if conditions are asked for, by their own conditions.';

CREATE FUNCTION steward_internal.tenant_policy_wanted(relation regclass, for_roles oid[], policy_names name[], conditions text[],
    OUT policy_name name, OUT request text, OUT definition text, OUT role_ids oid[], OUT is_asked boolean, OUT is_known boolean) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    WITH floor AS MATERIALIZED (
        SELECT f.*, takes.is_floor
          FROM steward_internal.tenant_policy_floors(relation, policy_names, conditions) f
          -- the base is in other floors as well
          JOIN (VALUES (true), (false)) AS takes(is_floor) ON f.is_base OR NOT takes.is_floor
    ), asked AS (
        SELECT a.policy_name, a.condition, format('%s FOR %s', CASE WHEN k.is_floor THEN 'RESTRICTIVE' ELSE 'PERMISSIVE' END, k.command) AS head,
               k.is_floor, k.builder IN ('admin', 'writer') AS for_one_role, k.is_floor AND k.is_base OR k.builder IN ('admin', 'writer') AS is_bare
          FROM unnest(policy_names, conditions) a(policy_name, condition)
         CROSS JOIN LATERAL steward_internal.tenant_policy_kind(a.policy_name) k
    ), kept AS (
        SELECT o.*, o.for_one_role OR EXISTS (SELECT FROM floor f WHERE f.policy_name = o.policy_name AND f.is_base) AS is_bare,
               pg_get_expr(p.polqual, p.polrelid) AS expression,
               ARRAY(SELECT f.condition FROM floor f WHERE f.is_floor = o.is_floor) AS old_floors
          FROM steward_internal.tenant_own_policies o JOIN pg_policy p ON p.polrelid = o.relation_id AND p.polname = o.policy_name
         WHERE o.relation_id = relation AND o.policy_name <> ALL (policy_names)
    ), wanted AS (
        SELECT a.policy_name, a.head, a.condition, format('%s USING (%s)', a.head, a.condition) AS request, NULL::text[] AS old_floors,
               a.is_floor, a.is_bare, for_roles AS role_ids, true AS is_known
          FROM asked a
         WHERE a.condition IS NOT NULL
         UNION ALL
        SELECT k.policy_name, NULL, x.condition, regexp_replace(k.request, ' within [a-z_, ]+$', ''), k.old_floors, k.is_floor, k.is_bare,
               -- all but those of single roles are for the same ones
               CASE WHEN k.for_one_role OR (SELECT bool_or(a.for_one_role) FROM asked a) THEN k.role_ids ELSE coalesce(for_roles, k.role_ids) END,
               k.unchanged AND (x.condition <> k.expression) = (k.request ~ ' within [a-z_, ]+$')
          FROM kept k
         CROSS JOIN LATERAL (SELECT CASE WHEN k.is_bare THEN k.expression ELSE steward_internal.tenant_policy_within(k.expression, '{}', k.old_floors) END) x(condition)
    )
    SELECT w.policy_name, w.request || coalesce(' within ' || f.names, ''),
           CASE WHEN w.head IS NOT NULL THEN format('%s USING (%s)', w.head, coalesce(array_to_string(f.conditions, ' AND ') || ' AND (' || w.condition || ')', w.condition))
                WHEN w.is_bare THEN steward_internal.tenant_policy_definition(relation, w.policy_name)
                ELSE steward_internal.tenant_policy_definition(relation, w.policy_name, coalesce(f.conditions, '{}'), w.old_floors) END,
           w.role_ids, w.head IS NOT NULL, w.is_known
      FROM wanted w
     CROSS JOIN LATERAL (
           SELECT string_agg(f.policy_name, ', ' ORDER BY f.policy_name COLLATE "C") AS names,
                  array_agg(f.condition ORDER BY f.policy_name COLLATE "C") AS conditions
             FROM floor f
            WHERE f.is_wanted AND NOT w.is_bare AND f.is_floor = w.is_floor AND f.condition <> w.condition) f;
END;
COMMENT ON FUNCTION steward_internal.tenant_policy_wanted(regclass, oid[], name[], text[]) IS
'Returns the policies that a table is to have if conditions are asked for, null for those that go: these and the others of ours that it has, the base in all of them, and the other floors in those that give rows.';

CREATE FUNCTION steward_internal.tenant_policy_differences(source regclass, relation regclass, for_roles oid[], policy_names name[], conditions text[],
    OUT policy_name name, OUT is_there boolean, OUT definition text, OUT role_list text, OUT request text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    WITH present AS (
        SELECT p.polname AS policy_name, o.request, coalesce(o.unchanged, false) AS unchanged, p.polroles AS role_ids,
               steward_internal.tenant_policy_definition(relation, p.polname) AS definition, o.policy_name IS NOT NULL AS is_own
          FROM pg_policy p
          LEFT JOIN steward_internal.tenant_own_policies o ON o.relation_id = p.polrelid AND o.policy_name = p.polname
         WHERE p.polrelid = relation
    ), compared AS (
        SELECT coalesce(w.policy_name, p.policy_name) AS policy_name, w.policy_name IS NOT NULL AS is_wanted, p.policy_name IS NOT NULL AS is_there,
               coalesce(p.is_own, false) AS is_own, w.request, w.definition, w.role_ids,
               -- what was changed by hand stays, and is not signed, so that it shows
               source = relation AND NOT w.is_known AS is_strange,
               coalesce(CASE WHEN w.is_asked THEN p.request = w.request AND p.unchanged
                             WHEN source = relation THEN p.definition = w.definition AND (p.request = w.request OR NOT w.is_known)
                             ELSE p.request = w.request AND p.definition = w.definition AND p.unchanged END, false) AS is_right,
               coalesce(w.role_ids @> p.role_ids AND w.role_ids <@ p.role_ids, false) AS has_roles
          FROM steward_internal.tenant_policy_wanted(source, for_roles, policy_names, conditions) w
          FULL JOIN present p ON p.policy_name = w.policy_name
    )
    SELECT c.policy_name, c.is_there, CASE WHEN NOT c.is_right THEN c.definition END,
           (SELECT string_agg(CASE r.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.role)) END, ', ' ORDER BY pg_get_userbyid(r.role) COLLATE "C")
              FROM unnest(c.role_ids) r(role)),
           CASE WHEN NOT c.is_strange THEN c.request END
      FROM compared c
     WHERE CASE WHEN c.is_wanted THEN NOT (c.is_right AND c.has_roles) ELSE c.is_own END
     ORDER BY c.policy_name COLLATE "C";
END;
COMMENT ON FUNCTION steward_internal.tenant_policy_differences(regclass, regclass, oid[], name[], text[]) IS
'Returns the policies that a table lacks, has otherwise or should not have, by what is asked for and the others of ours that a table, it or one above it, has.';

CREATE FUNCTION steward_internal.tenant_policy_commands(source regclass, relation regclass, for_roles oid[], policy_names name[], conditions text[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    member record;
    policy record;
BEGIN
    -- from the leaves up, so that steward_tenant_guard finds nothing to do
    RETURN QUERY
        SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', m.qualified_name)
          FROM steward_internal.table_members(relation) m JOIN pg_class c ON c.oid = m.member AND c.relkind <> 'f'
         WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity)
         ORDER BY m.depth DESC, m.qualified_name COLLATE "C";
    FOR member IN
        SELECT m.member, m.qualified_name
          FROM steward_internal.table_members(relation) m JOIN pg_class c ON c.oid = m.member AND c.relkind <> 'f'
         ORDER BY m.depth, m.qualified_name COLLATE "C"
    LOOP
        FOR policy IN SELECT * FROM steward_internal.tenant_policy_differences(source, member.member, for_roles, policy_names, conditions) LOOP
            IF policy.role_list IS NOT NULL AND policy.definition IS NULL THEN
                RETURN NEXT format('ALTER POLICY %I ON %s TO %s', policy.policy_name, member.qualified_name, policy.role_list);
            ELSIF policy.definition IS NOT NULL AND policy.request IS NULL THEN
                RETURN NEXT format('ALTER POLICY %I ON %s TO %s USING %s', policy.policy_name, member.qualified_name, policy.role_list,
                                   substr(policy.definition, strpos(policy.definition, ' USING ') + 7));
            ELSIF policy.is_there THEN
                RETURN NEXT format('DROP POLICY %I ON %s', policy.policy_name, member.qualified_name);
            END IF;
            IF policy.definition IS NOT NULL AND policy.request IS NOT NULL THEN
                RETURN NEXT format('CREATE POLICY %I ON %s AS %s TO %s USING %s', policy.policy_name, member.qualified_name,
                                   split_part(policy.definition, ' USING ', 1), policy.role_list,
                                   substr(policy.definition, strpos(policy.definition, ' USING ') + 7));
            END IF;
            IF policy.request IS NOT NULL THEN
                RETURN NEXT format('SELECT steward_internal.tenant_policy_sign(%L, %L, %L)', member.qualified_name, policy.policy_name, policy.request);
            END IF;
        END LOOP;
    END LOOP;
    RETURN QUERY
        SELECT r.* FROM steward_internal.table_members(relation) m
         CROSS JOIN LATERAL steward_internal.tenant_revoke_commands(m.member) r
         ORDER BY m.depth, m.qualified_name COLLATE "C", 1;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_policy_commands(regclass, regclass, oid[], name[], text[]) IS
'Returns the commands that give a table and all below it policies for roles, take away those asked to be null, and leave none of ours that another, it or one above it, has not. Empty if all is as it should be.';

CREATE FUNCTION steward_internal.tenant_column_commands(relation regclass, column_name name, subject text, has_default boolean, create_index boolean) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    WITH key AS MATERIALIZED (
        SELECT a.attnotnull, m.qualified_name, steward_internal.tenant_key_function(relation, column_name, subject) AS key_function,
               a.atthasdef OR a.attidentity <> ''
               OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND i.indkey[0] = a.attnum AND i.indnkeyatts = 1) AS has_value
          FROM steward_internal.table_members(relation) m
          JOIN pg_attribute a ON a.attrelid = m.member AND a.attname = column_name AND NOT a.attisdropped
         WHERE m.member = relation
    )
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', k.qualified_name, column_name, k.key_function)
      FROM key k WHERE has_default AND NOT k.has_value
     UNION ALL
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', k.qualified_name, column_name)
      FROM key k WHERE subject = 'tenant' AND NOT k.attnotnull
     UNION ALL
    SELECT f FROM steward_internal.tenant_fill_commands(relation, column_name, 'INSERT OR UPDATE') f
     WHERE subject = 'tenant' AND has_default
     UNION ALL
    (-- partitions get that of their table
    SELECT format('CREATE INDEX ON %s (%I)', m.qualified_name, column_name)
      FROM steward_internal.table_members(relation) m
      JOIN pg_class c ON c.oid = m.member
      JOIN pg_attribute a ON a.attrelid = m.member AND a.attname = column_name AND NOT a.attisdropped
     WHERE create_index AND (m.member = relation OR NOT m.is_partition) AND c.relkind IN ('r', 'p')
       AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam
                        WHERE i.indrelid = m.member AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indisvalid AND am.amname = 'btree')
     ORDER BY m.depth, m.qualified_name COLLATE "C");
END;
COMMENT ON FUNCTION steward_internal.tenant_column_commands(regclass, name, text, boolean, boolean) IS
'Returns the commands that give the column of a tenant or user its default and an index, and that of a tenant NOT NULL and what fills it in.';

CREATE FUNCTION steward_internal.tenant_run(relation regclass, commands text[], dry_run boolean) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT dry_run AND commands <> '{}' THEN
        -- from the top down, as readers and writers lock them; the commands would meet those going up
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
    END IF;
    RETURN QUERY SELECT * FROM steward_internal.run_commands(commands, dry_run);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_run(regclass, text[], boolean) IS
'Returns commands for a table and what is below it, having run them unless it is a dry run.';

CREATE FUNCTION steward_internal.tenant_policy_conditions(relation regclass, INOUT policy_names name[], INOUT conditions text[]) RETURNS record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH asked AS (
        SELECT k.*, a.condition
          FROM unnest(tenant_policy_conditions.policy_names, tenant_policy_conditions.conditions) a(policy_name, condition)
          JOIN steward_internal.tenant_policy_kinds k USING (policy_name)
    ), outcome AS (
        SELECT a.policy_name,
               CASE WHEN a.is_floor OR NOT a.is_base OR NOT EXISTS (
                        SELECT FROM steward_internal.tenant_own_policies o JOIN steward_internal.tenant_policy_kinds k USING (policy_name)
                         -- what is read besides is no other builder's
                         WHERE o.relation_id = relation AND k.builder NOT IN (a.builder, 'admin', 'writer', 'shared', 'tree') AND NOT k.is_floor) THEN a.condition END AS condition
          FROM asked a
         UNION ALL
        SELECT k.policy_name, NULL
          FROM steward_internal.tenant_policy_kinds k
         WHERE k.builder NOT IN (SELECT a.builder FROM asked a) AND k.builder NOT IN ('admin', 'writer') AND NOT (k.is_base AND k.is_floor)
           AND NOT EXISTS (SELECT FROM asked a WHERE a.is_base)
    )
    SELECT array_agg(o.policy_name), array_agg(o.condition) FROM outcome o;
END;
COMMENT ON FUNCTION steward_internal.tenant_policy_conditions(regclass, name[], text[]) IS
'Returns the policies that a builder makes, with their conditions, and those that cannot stand beside them, with null.';

CREATE FUNCTION steward_internal.tenant_build(relation regclass, roles name[], policy_names name[], conditions text[], column_commands text[], dry_run boolean)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role_ids constant oid[] := steward_internal.tenant_policy_roles(relation, roles);
    wanted constant record := steward_internal.tenant_policy_conditions(relation, policy_names, conditions);
    has_floor constant boolean := EXISTS (SELECT FROM steward_internal.tenant_policy_kinds k WHERE k.is_floor AND k.policy_name = ANY (policy_names))
        OR EXISTS (SELECT FROM steward_internal.tenant_own_policies p WHERE p.relation_id = relation AND p.is_floor AND p.policy_name <> ALL (wanted.policy_names));
BEGIN
    PERFORM steward_internal.tenant_check_admins(relation, CASE WHEN has_floor THEN role_ids END, role_ids,
        ARRAY(SELECT unnest(p.role_ids) FROM steward_internal.tenant_own_policies p WHERE p.relation_id = relation AND p.for_admin));
    RETURN QUERY SELECT * FROM steward_internal.tenant_run(relation,
        ARRAY(SELECT steward_internal.tenant_policy_commands(relation, relation, role_ids, wanted.policy_names, wanted.conditions)) || column_commands, dry_run);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_build(regclass, name[], name[], text[], text[], boolean) IS
'Gives a table the policies of a builder, and takes away those that cannot stand beside them; returns the commands.';

--
-- What became of them
--

CREATE VIEW steward.tenant_policies AS
SELECT t.relation_id::regclass AS relation, t.policy_name,
       ARRAY(SELECT CASE r.role WHEN 0 THEN 'public' ELSE pg_get_userbyid(r.role) END FROM unnest(p.polroles) r(role) ORDER BY 1) AS roles,
       t.intent, pg_get_expr(p.polqual, p.polrelid) AS using_expression, pg_get_expr(p.polwithcheck, p.polrelid) AS check_expression,
       CASE WHEN p.polname IS NULL THEN 'missing'
            WHEN o.unchanged IS NOT TRUE OR o.request <> t.intent THEN 'changed'
            WHEN NOT c.relrowsecurity THEN 'row security is off'
            WHEN NOT c.relforcerowsecurity THEN 'row security is not forced' END AS problem
  FROM (SELECT DISTINCT ON (m.member, w.policy_name) m.member AS relation_id, w.policy_name, w.intent
          FROM (SELECT o.relation_id, o.policy_name, o.request AS intent FROM steward_internal.tenant_own_policies o
                 UNION ALL
                -- what is built together, but for rows of the base, which others may give; and floors that others were built in
                SELECT o.relation_id, k.policy_name, NULL
                  FROM steward_internal.tenant_own_policies o
                  JOIN steward_internal.tenant_policy_kinds k
                    ON k.builder = o.builder AND NOT o.for_one_role AND (k.is_floor OR NOT k.is_base)
                       OR k.is_floor AND k.policy_name = ANY (string_to_array(substring(o.request FROM ' within ([a-z_, ]+)$'), ', '))) w
         CROSS JOIN LATERAL steward_internal.table_members(w.relation_id) m
         -- what is farthest up counts
         ORDER BY m.member, w.policy_name, w.intent IS NULL, m.depth DESC) t
  JOIN pg_class c ON c.oid = t.relation_id AND c.relkind <> 'f'
  LEFT JOIN pg_policy p ON p.polrelid = t.relation_id AND p.polname = t.policy_name
  LEFT JOIN steward_internal.tenant_own_policies o ON o.relation_id = t.relation_id AND o.policy_name = t.policy_name;
COMMENT ON VIEW steward.tenant_policies IS
'The policies that the builders made, as asked for and as they are now.';
COMMENT ON COLUMN steward.tenant_policies.intent IS 'What was asked for; null if the policy that said so is gone.';
COMMENT ON COLUMN steward.tenant_policies.problem IS 'One of missing, changed, row security is off, row security is not forced; null if none.';
GRANT SELECT ON steward.tenant_policies TO PUBLIC;
