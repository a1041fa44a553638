-- tenant_policy: the policies that keep the rows of tenants and users apart.

-- A policy of ours carries as comment the text that made it, and a hash of what the server made of that. So a changed
-- policy is known, dumps keep it all, and a partition is given what its table has.
CREATE FUNCTION steward.tenant_policy_hash(relation regclass, policy_name name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    SELECT left(encode(sha256(convert_to(concat_ws(' ', p.polpermissive, p.polcmd,
                (SELECT string_agg(CASE r.role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r.role) END, ',' ORDER BY 1) FROM unnest(p.polroles) r(role)),
                pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)), 'UTF8')), 'hex'), 12)
      FROM pg_policy p
     WHERE p.polrelid = relation AND p.polname = policy_name;
END;
COMMENT ON FUNCTION steward.tenant_policy_hash(regclass, name) IS
'A short hash of what a policy is by the catalog.';

CREATE FUNCTION steward.tenant_policy_sign(relation regclass, policy_name name, request text) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('COMMENT ON POLICY %I ON %s IS %L', policy_name, relation,
                   format('steward %s: %s', steward.tenant_policy_hash(relation, policy_name), request));
END $$;
COMMENT ON FUNCTION steward.tenant_policy_sign(regclass, name, text) IS
'Notes with a policy what was asked for, so that tenant_policies can tell whether it is still that.';

CREATE VIEW steward.tenant_own_policies AS
SELECT p.polrelid AS relation_id, p.polname AS policy_name, p.polroles AS role_ids, s.signature[2] AS request,
       s.signature[1] = steward.tenant_policy_hash(p.polrelid, p.polname) AS unchanged
  FROM pg_description d
 CROSS JOIN LATERAL (SELECT regexp_match(d.description, '^steward ([0-9a-f]{12}): (.*)$') AS signature) s
  JOIN pg_policy p ON p.oid = d.objoid
 WHERE d.classoid = 'pg_policy'::regclass AND d.objsubid = 0 AND s.signature IS NOT NULL;
COMMENT ON VIEW steward.tenant_own_policies IS
'The policies that the builders made.';
GRANT SELECT ON steward.tenant_own_policies TO PUBLIC;

--
-- What the builders have in common
--

CREATE FUNCTION steward.tenant_check_table(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind "char";
    is_foreign boolean;
BEGIN
    PERFORM steward.upkeep_check_owner(relation);
    SELECT c.relkind, c.relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'steward'::regnamespace)
                      OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
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
END $$;
COMMENT ON FUNCTION steward.tenant_check_table(regclass) IS
'Raises 42809 for what cannot be protected, and what upkeep_check_owner() raises.';

CREATE FUNCTION steward.tenant_key_function(relation regclass, column_name name, subject text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    column_type oid;
    suffix text;
BEGIN
    PERFORM steward.upkeep_check_column(relation, column_name, 'bigint');
    -- domains over domains too
    WITH RECURSIVE types AS (
        SELECT a.atttypid AS type FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = column_name
         UNION ALL
        SELECT y.typbasetype FROM types t JOIN pg_type y ON y.oid = t.type WHERE y.typtype = 'd'
    )
    SELECT t.type INTO column_type FROM types t JOIN pg_type y ON y.oid = t.type WHERE y.typtype <> 'd';
    suffix := CASE column_type
        WHEN 'smallint'::regtype THEN 'int' WHEN 'integer'::regtype THEN 'int' WHEN 'bigint'::regtype THEN 'bigint'
        WHEN 'uuid'::regtype THEN 'uuid' WHEN 'text'::regtype THEN 'text' WHEN 'varchar'::regtype THEN 'text' END;
    IF suffix IS NULL THEN
        RAISE datatype_mismatch USING
            MESSAGE = format('column "%s" of table %s is of type %s', column_name, relation, column_type::regtype),
            DETAIL = CASE WHEN steward.tenant_type_leakproof(column_type) THEN NULL
                          ELSE 'The "=" of that type is not leakproof: under a policy, no query could use it with an index.' END,
            HINT = format('ALTER TABLE %s ALTER COLUMN %I TYPE bigint USING ...; or uuid, or text.', relation, column_name);
    END IF;
    RETURN format('steward.current_%s_%s()', subject, suffix);
END $$;
COMMENT ON FUNCTION steward.tenant_key_function(regclass, name, text) IS
'The call that gives the current tenant or user_id in the type of a column; raises 42703 or 42804 for one that cannot be compared with it.';

CREATE FUNCTION steward.tenant_policy_roles(relation regclass, roles name[]) RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF roles IS NULL THEN
        RETURN coalesce((SELECT p.role_ids FROM steward.tenant_own_policies p
                          WHERE p.relation_id = relation AND p.policy_name NOT LIKE 'steward\_admin\_%'
                          ORDER BY p.policy_name LIMIT 1), '{0}');
    ELSIF roles IN ('{}', '{public}') THEN
        RETURN '{0}';
    END IF;
    PERFORM steward.upkeep_check_roles(roles);
    RETURN ARRAY(SELECT quote_ident(r.name)::regrole::oid FROM unnest(roles) r(name));
END $$;
COMMENT ON FUNCTION steward.tenant_policy_roles(regclass, name[]) IS
'For whom policies are to be: roles by name, for null those of the present policies, without any 0 for all. Raises 42704.';

CREATE FUNCTION steward.tenant_revoke_commands(relation regclass) RETURNS SETOF text
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
    SELECT format('REVOKE %s ON %s FROM %s CASCADE', string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type), m.qualified_name,
                  CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END)
      FROM grants g
      JOIN steward.table_members(relation) m ON m.member = relation
     WHERE g.grantee <> g.relowner
       AND (g.relkind = 'f' OR g.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER'))
       AND NOT EXISTS (SELECT FROM steward.tenant_own_policies p
                        WHERE p.relation_id = relation AND p.policy_name LIKE 'steward\_admin\_%' AND g.grantee = ANY (p.role_ids))
     GROUP BY g.grantee, m.qualified_name
     ORDER BY g.grantee;
END;
COMMENT ON FUNCTION steward.tenant_revoke_commands(regclass) IS
'The commands that take away rights for which policies do not hold, but from the owner and administrators.';

CREATE FUNCTION steward.tenant_policy_commands(relation regclass, role_ids oid[], policy_names name[], requests text[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    member record;
    policy record;
BEGIN
    -- from the leaves up, so that steward_tenant_guard finds nothing to do
    RETURN QUERY
        SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', m.qualified_name)
          FROM steward.table_members(relation) m JOIN pg_class c ON c.oid = m.member AND c.relkind <> 'f'
         WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity)
         ORDER BY m.depth DESC, m.qualified_name COLLATE "C";
    FOR member IN
        SELECT m.member, m.qualified_name
          FROM steward.table_members(relation) m JOIN pg_class c ON c.oid = m.member AND c.relkind <> 'f'
         ORDER BY m.depth, m.qualified_name COLLATE "C"
    LOOP
        FOR policy IN
            WITH asked AS (
                SELECT * FROM unnest(policy_names, requests) a(policy_name, request)
            ), wanted AS (
                SELECT a.policy_name, a.request, tenant_policy_commands.role_ids FROM asked a WHERE a.request IS NOT NULL
                 UNION ALL
                -- all but those of administrators are for the same roles
                SELECT o.policy_name, o.request,
                       CASE WHEN o.policy_name LIKE 'steward\_admin\_%' OR policy_names[1] LIKE 'steward\_admin\_%' THEN o.role_ids
                            ELSE coalesce(tenant_policy_commands.role_ids, o.role_ids) END
                  FROM steward.tenant_own_policies o
                 WHERE o.relation_id = relation AND o.policy_name NOT IN (SELECT a.policy_name FROM asked a)
            ), present AS (
                SELECT p.polname AS policy_name, o.request, o.unchanged, p.polroles AS role_ids, o.policy_name IS NOT NULL AS is_own
                  FROM pg_policy p
                  LEFT JOIN steward.tenant_own_policies o ON o.relation_id = p.polrelid AND o.policy_name = p.polname
                 WHERE p.polrelid = member.member
            )
            SELECT policy_name, w.request, p.is_own IS NOT NULL AS is_there,
                   (SELECT string_agg(CASE r.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.role)) END, ', ' ORDER BY r.place)
                      FROM unnest(w.role_ids) WITH ORDINALITY r(role, place)) AS role_list
              FROM wanted w
              FULL JOIN present p USING (policy_name)
             WHERE CASE WHEN w.request IS NULL THEN p.is_own
                        ELSE (w.request = p.request AND p.unchanged AND w.role_ids @> p.role_ids AND w.role_ids <@ p.role_ids) IS NOT TRUE END
             ORDER BY policy_name COLLATE "C"
        LOOP
            IF policy.is_there THEN
                RETURN NEXT format('DROP POLICY %I ON %s', policy.policy_name, member.qualified_name);
            END IF;
            IF policy.request IS NOT NULL THEN
                RETURN NEXT format('CREATE POLICY %I ON %s AS %s TO %s USING %s', policy.policy_name, member.qualified_name,
                                   split_part(policy.request, ' USING ', 1), policy.role_list,
                                   substr(policy.request, strpos(policy.request, ' USING ') + 7));
                RETURN NEXT format('SELECT steward.tenant_policy_sign(%L, %L, %L)', member.qualified_name, policy.policy_name, policy.request);
            END IF;
        END LOOP;
    END LOOP;
    RETURN QUERY
        SELECT r.* FROM steward.table_members(relation) m
         CROSS JOIN LATERAL steward.tenant_revoke_commands(m.member) r
         ORDER BY m.depth, m.qualified_name COLLATE "C", 1;
END $$;
COMMENT ON FUNCTION steward.tenant_policy_commands(regclass, oid[], name[], text[]) IS
'The commands that give a table and all below it policies for roles, take away those asked to be null, and leave none of ours that the table has not. Empty if all is as it should be.';

CREATE FUNCTION steward.tenant_column_commands(relation regclass, column_name name, subject text, create_index boolean) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    WITH key AS MATERIALIZED (
        SELECT a.attrelid, a.attnum, a.attnotnull, a.atthasdef OR a.attidentity <> '' AS has_value, c.relkind, m.qualified_name,
               steward.tenant_key_function(relation, column_name, subject) AS key_function,
               EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND i.indkey[0] = a.attnum AND i.indnkeyatts = 1) AS is_primary
          FROM steward.table_members(relation) m
          JOIN pg_class c ON c.oid = m.member
          JOIN pg_attribute a ON a.attrelid = m.member AND a.attname = column_name AND NOT a.attisdropped
         WHERE m.member = relation
    )
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', k.qualified_name, column_name, k.key_function)
      FROM key k WHERE NOT k.has_value AND NOT k.is_primary
     UNION ALL
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', k.qualified_name, column_name)
      FROM key k WHERE subject = 'tenant' AND NOT k.attnotnull
     UNION ALL
    -- partitions get that of their table
    SELECT format('CREATE INDEX ON %s (%I)', m.qualified_name, column_name)
      FROM steward.table_members(relation) m
      JOIN pg_class c ON c.oid = m.member
      JOIN pg_attribute a ON a.attrelid = m.member AND a.attname = column_name AND NOT a.attisdropped
     WHERE create_index AND (m.member = relation OR NOT m.is_partition) AND c.relkind IN ('r', 'p')
       AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                        WHERE i.indrelid = m.member AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indisvalid
                          AND x.relam = (SELECT am.oid FROM pg_am am WHERE am.amname = 'btree'));
END;
COMMENT ON FUNCTION steward.tenant_column_commands(regclass, name, text, boolean) IS
'The commands that give the column of a tenant or user its default and an index, and that of a tenant NOT NULL.';

CREATE FUNCTION steward.tenant_run(commands text[], dry_run boolean) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF dry_run IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'dry_run must not be null';
    END IF;
    RETURN QUERY SELECT c.command || ';' FROM unnest(commands) WITH ORDINALITY c(command, place) ORDER BY c.place;
    IF NOT dry_run THEN
        PERFORM steward.upkeep_run(commands);
    END IF;
END $$;
COMMENT ON FUNCTION steward.tenant_run(text[], boolean) IS
'Returns commands, having run them unless it is a dry run.';

--
-- The builders.  Of the policies that give rows, steward_tenant, steward_user, steward_member, and steward_public with
-- steward_author, a table has one kind, since they count together; the floors restrict what any of them gives.
--

CREATE FUNCTION steward.tenant_protect(
    relation     regclass,
    column_name  name    DEFAULT 'tenant_id',
    roles        name[]  DEFAULT NULL,
    folded       boolean DEFAULT false,
    create_index boolean DEFAULT true,
    dry_run      boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    condition constant text := format('steward.%s(%I)', CASE WHEN folded THEN 'is_current_tenant_folded' ELSE 'is_current_tenant' END, column_name);
    gives_rows constant boolean := (SELECT count(*) = 0 FROM steward.tenant_own_policies p
                                     WHERE p.relation_id = relation AND p.policy_name IN ('steward_user', 'steward_author', 'steward_member'));
BEGIN
    PERFORM steward.tenant_check_table(relation), steward.tenant_key_function(relation, column_name, 'tenant');
    RETURN QUERY SELECT * FROM steward.tenant_run(
        ARRAY(SELECT steward.tenant_policy_commands(relation, steward.tenant_policy_roles(relation, roles), '{steward_tenant_floor,steward_tenant}', ARRAY[
            'RESTRICTIVE FOR ALL USING (' || condition || ')',
            CASE WHEN gives_rows THEN 'PERMISSIVE FOR ALL USING (' || condition || ')' END])) ||
        ARRAY(SELECT steward.tenant_column_commands(relation, column_name, 'tenant', create_index)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect(regclass, name, name[], boolean, boolean, boolean) IS
'Lets roles, by default all, see and write the rows of their tenant only; returns the commands.';

CREATE FUNCTION steward.tenant_protect_user(
    relation     regclass,
    column_name  name    DEFAULT 'user_id',
    roles        name[]  DEFAULT NULL,
    create_index boolean DEFAULT true,
    dry_run      boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    condition constant text := format('steward.is_current_user(%I)', column_name);
BEGIN
    PERFORM steward.tenant_check_table(relation), steward.tenant_key_function(relation, column_name, 'user_id');
    RETURN QUERY SELECT * FROM steward.tenant_run(
        ARRAY(SELECT steward.tenant_policy_commands(relation, steward.tenant_policy_roles(relation, roles),
            '{steward_user_floor,steward_user,steward_tenant,steward_public,steward_author,steward_member}', ARRAY[
            'RESTRICTIVE FOR ALL USING (' || condition || ')',
            'PERMISSIVE FOR ALL USING (' || condition || ')'])) ||
        ARRAY(SELECT steward.tenant_column_commands(relation, column_name, 'user_id', create_index)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_user(regclass, name, name[], boolean, boolean) IS
'Lets roles, by default all, see and write the rows of their user only, within the tenant if the table has one; returns the commands.';

CREATE FUNCTION steward.tenant_protect_visibility(
    relation      regclass,
    public_column name    DEFAULT 'published',
    author_column name    DEFAULT 'author_id',
    public_values text[]  DEFAULT '{true}',
    roles         name[]  DEFAULT NULL,
    create_index  boolean DEFAULT true,
    dry_run       boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    column_type constant text := (SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
                                   WHERE a.attrelid = relation AND a.attname = public_column AND a.attnum > 0 AND NOT a.attisdropped);
    is_public text;
BEGIN
    PERFORM steward.tenant_check_table(relation), steward.upkeep_check_column(relation, public_column, 'boolean NOT NULL DEFAULT false'),
            steward.tenant_key_function(relation, author_column, 'user_id');
    IF coalesce(cardinality(public_values), 0) = 0 OR array_position(public_values, NULL) IS NOT NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'public_values must have values, and none of them null',
            HINT = format('SELECT steward.tenant_protect_visibility(%L, %L, %L, public_values => ''{published}'');', relation, public_column, author_column);
    END IF;
    SELECT format('%I IN (%s)', public_column, string_agg(format('%L::%s', v.value, column_type), ', ' ORDER BY v.place)) INTO is_public
      FROM unnest(public_values) WITH ORDINALITY v(value, place);
    IF column_type = 'boolean' AND public_values = '{true}' THEN
        is_public := quote_ident(public_column);
    END IF;
    RETURN QUERY SELECT * FROM steward.tenant_run(
        ARRAY(SELECT steward.tenant_policy_commands(relation, steward.tenant_policy_roles(relation, roles),
            '{steward_public,steward_author,steward_tenant,steward_user_floor,steward_user,steward_member}', ARRAY[
            'PERMISSIVE FOR SELECT USING (' || is_public || ')',
            format('PERMISSIVE FOR ALL USING (steward.is_current_user(%I))', author_column)])) ||
        ARRAY(SELECT steward.tenant_column_commands(relation, author_column, 'user_id', create_index)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_visibility(regclass, name, name, text[], name[], boolean, boolean) IS
'Lets roles, by default all, see what is public and what they wrote, and write only that, within the tenant if the table has one; returns the commands.';

CREATE FUNCTION steward.tenant_protect_member(
    relation      regclass,
    members       regclass,
    column_name   name    DEFAULT 'tenant_id',
    member_column name    DEFAULT 'tenant_id',
    user_column   name    DEFAULT 'user_id',
    roles         name[]  DEFAULT NULL,
    create_index  boolean DEFAULT true,
    dry_run       boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    condition text;
BEGIN
    PERFORM steward.tenant_check_table(relation), steward.tenant_key_function(relation, column_name, 'tenant');
    IF members IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'table of members must not be null';
    END IF;
    PERFORM steward.tenant_key_function(members, user_column, 'user_id');
    IF steward.tenant_key_function(members, member_column, 'tenant') <> steward.tenant_key_function(relation, column_name, 'tenant') THEN
        RAISE datatype_mismatch USING
            MESSAGE = format('column "%s" of table %s is not of the type of column "%s" of table %s', member_column, members, column_name, relation),
            HINT = format('ALTER TABLE %s ALTER COLUMN %I TYPE ...;', members, member_column);
    END IF;
    -- a list made once for each query: an index serves it, and no function is called for each row
    SELECT format('%I = ANY (ARRAY(SELECT m.%I FROM %s m WHERE steward.is_current_user(m.%I)))', column_name, member_column, m.qualified_name, user_column)
      INTO condition FROM steward.table_members(members) m WHERE m.member = members;
    RETURN QUERY SELECT * FROM steward.tenant_run(
        ARRAY(SELECT steward.tenant_policy_commands(relation, steward.tenant_policy_roles(relation, roles),
            '{steward_member,steward_tenant,steward_public,steward_author,steward_user_floor,steward_user}', ARRAY[
            'PERMISSIVE FOR ALL USING (' || condition || ')'])) ||
        ARRAY(SELECT c FROM steward.tenant_column_commands(relation, column_name, 'tenant', create_index) c WHERE c NOT LIKE '%SET DEFAULT%'), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_member(regclass, regclass, name, name, name, name[], boolean, boolean) IS
'Lets roles, by default all, see and write the rows of all tenants of which a table says that the user is a member; returns the commands.';

CREATE FUNCTION steward.tenant_admin_all(relation regclass, role_name name, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    kept_in oid;
    role_id oid;
BEGIN
    PERFORM steward.tenant_check_table(relation), steward.upkeep_check_roles(ARRAY[role_name]);
    role_id := quote_ident(role_name)::regrole;
    -- a restrictive policy holds for whoever has the rights of its roles
    SELECT r.role INTO kept_in
      FROM steward.tenant_own_policies p CROSS JOIN LATERAL unnest(p.role_ids) r(role)
     WHERE p.relation_id = relation AND p.request LIKE 'RESTRICTIVE %'
       AND CASE r.role WHEN 0 THEN true ELSE pg_has_role(role_id, r.role, 'USAGE') END
     ORDER BY r.role LIMIT 1;
    IF kept_in = 0 THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('the policies of %s are for all roles, %I too', relation, role_name),
            HINT = format('SELECT steward.tenant_protect(%L, roles => ''{...}''); with the roles of the application.', relation);
    ELSIF kept_in IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('role %I has the rights of %I, for whom the policies of %s are', role_name, pg_get_userbyid(kept_in), relation),
            HINT = format('REVOKE %I FROM %I;', pg_get_userbyid(kept_in), role_name);
    END IF;
    -- and a permissive one too
    SELECT r.role INTO kept_in
      FROM steward.tenant_own_policies p CROSS JOIN LATERAL unnest(p.role_ids) r(role)
     WHERE p.relation_id = relation AND p.policy_name NOT LIKE 'steward\_admin\_%' AND r.role <> 0 AND pg_has_role(r.role, role_id, 'MEMBER')
     ORDER BY r.role LIMIT 1;
    IF kept_in IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('role %I, for whom the policies of %s are, can become %I', pg_get_userbyid(kept_in), relation, role_name),
            HINT = format('REVOKE %I FROM %I;', role_name, pg_get_userbyid(kept_in));
    END IF;
    RETURN QUERY SELECT * FROM steward.tenant_run(
        ARRAY(SELECT steward.tenant_policy_commands(relation, ARRAY[role_id], ARRAY[steward.upkeep_name('steward_admin_', role_name)],
                                                    '{PERMISSIVE FOR ALL USING (true)}')), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_admin_all(regclass, name, boolean) IS
'Lets one role see and write all rows, by a policy of its own; returns the commands.';

CREATE FUNCTION steward.tenant_protect_partitions(relation regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward.tenant_check_table(relation);
    IF NOT EXISTS (SELECT FROM steward.tenant_own_policies p WHERE p.relation_id = relation) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('table %s is not protected', relation),
            HINT = format('SELECT steward.tenant_protect(%L);', relation);
    END IF;
    RETURN QUERY SELECT * FROM steward.tenant_run(ARRAY(SELECT steward.tenant_policy_commands(relation, NULL, '{}', '{}')), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_partitions(regclass, boolean) IS
'Gives the policies of a table to the partitions and inheritance children that it has got since; returns the commands.';

CREATE FUNCTION steward.tenant_unprotect(relation regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
    PERFORM steward.upkeep_check_owner(relation);
    RETURN QUERY SELECT * FROM steward.tenant_run(ARRAY(
        SELECT c.command
          FROM steward.table_members(relation) m
         CROSS JOIN LATERAL (
               SELECT 1, format('DROP POLICY %I ON %s', p.policy_name, m.qualified_name), p.policy_name
                 FROM steward.tenant_own_policies p WHERE p.relation_id = m.member
                UNION ALL
               -- policies of others stay, and in force
               SELECT 2, format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', m.qualified_name), NULL
                WHERE EXISTS (SELECT FROM steward.tenant_own_policies p WHERE p.relation_id = m.member)
                  AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = m.member
                                     AND p.polname NOT IN (SELECT o.policy_name FROM steward.tenant_own_policies o WHERE o.relation_id = m.member))
               ) c(step, command, policy_name)
         ORDER BY m.depth, m.qualified_name COLLATE "C", c.step, c.policy_name COLLATE "C"), dry_run);
    IF NOT dry_run AND EXISTS (SELECT FROM steward.tenant_own_policies p WHERE p.relation_id = relation) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('event trigger steward_tenant_guard protects table %s', relation),
            HINT = format('INSERT INTO steward.tenant_check_muted (key, reason) VALUES (%L, ''...'');',
                          'no_rls:' || (SELECT m.qualified_name FROM steward.table_members(relation) m WHERE m.member = relation));
    END IF;
END $$;
COMMENT ON FUNCTION steward.tenant_unprotect(regclass, boolean) IS
'Drops the policies that the builders made, and turns row security off where there are no others; returns the commands. Columns, indexes and rights stay.';

CREATE VIEW steward.tenant_policies AS
SELECT t.relation_id::regclass AS relation, policy_name,
       ARRAY(SELECT CASE r.role WHEN 0 THEN 'public' ELSE pg_get_userbyid(r.role) END FROM unnest(p.polroles) r(role) ORDER BY 1) AS roles,
       t.intent, pg_get_expr(p.polqual, p.polrelid) AS using_expression, pg_get_expr(p.polwithcheck, p.polrelid) AS check_expression,
       CASE WHEN p.polname IS NULL THEN 'missing'
            WHEN o.unchanged IS NOT TRUE OR o.request <> t.intent THEN 'changed'
            WHEN NOT c.relrowsecurity THEN 'row security is off'
            WHEN NOT c.relforcerowsecurity THEN 'row security is not forced' END AS problem
  FROM (SELECT DISTINCT ON (m.member, o.policy_name) m.member AS relation_id, o.policy_name, o.request AS intent
          FROM steward.tenant_own_policies o
         CROSS JOIN LATERAL steward.table_members(o.relation_id) m
         -- what is farthest up counts
         ORDER BY m.member, o.policy_name, m.depth DESC) t
  JOIN pg_class c ON c.oid = t.relation_id AND c.relkind <> 'f'
  LEFT JOIN pg_policy p ON p.polrelid = t.relation_id AND p.polname = t.policy_name
  LEFT JOIN steward.tenant_own_policies o USING (relation_id, policy_name);
COMMENT ON VIEW steward.tenant_policies IS
'The policies that the builders made, as asked for and as they are now.';
COMMENT ON COLUMN steward.tenant_policies.intent IS 'what was asked for';
COMMENT ON COLUMN steward.tenant_policies.problem IS 'missing, changed, row security is off, row security is not forced; null if none';
GRANT SELECT ON steward.tenant_policies TO PUBLIC;
