-- tenant_protect: the builders of policies.

-- What other builders need beside policies: the function that lists the tenants of a tree, writers of shared rows.
CREATE FUNCTION steward_internal.tenant_leftover_commands(relation regclass, kept_function text DEFAULT NULL, keep_writers boolean DEFAULT false) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    WITH policies AS MATERIALIZED (
        SELECT p.oid, p.polname, m.depth, m.qualified_name, p.polname LIKE 'steward\_writer\_%' AS is_writer
          FROM steward_internal.table_members(relation) m
          JOIN pg_policy p ON p.polrelid = m.member AND p.polname LIKE 'steward\_%'
    ), functions AS (
        SELECT DISTINCT f.oid, format('%I.%I', n.nspname, f.proname) AS name
          FROM policies p
          JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass
          JOIN pg_proc f ON f.oid = d.refobjid AND f.proname LIKE 'steward\_tree\_%' AND f.pronargs = 0 AND pg_has_role(f.proowner, 'USAGE')
          JOIN pg_namespace n ON n.oid = f.pronamespace
    )
    SELECT c.command
      FROM (SELECT 1, p.depth, format('DROP POLICY %I ON %s', p.polname, p.qualified_name) FROM policies p WHERE p.is_writer AND NOT keep_writers
             UNION ALL
            SELECT 2, 0, format('DROP FUNCTION %s()', f.name)
              FROM functions f
             WHERE f.name IS DISTINCT FROM kept_function
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.oid
                                  AND NOT (d.classid = 'pg_policy'::regclass AND d.objid IN (SELECT p.oid FROM policies p)))) c (step, depth, command)
     ORDER BY c.step, c.depth, c.command COLLATE "C";
END;
COMMENT ON FUNCTION steward_internal.tenant_leftover_commands(regclass, text, boolean) IS
'Returns the commands that drop what a table needs no more once its policies are others: the function of a tree, and policies of writers.';

CREATE FUNCTION steward.tenant_protect(
    relation     regclass,
    column_name  name    DEFAULT 'tenant_id',
    roles        name[]  DEFAULT NULL,
    folded       boolean DEFAULT false,
    create_index boolean DEFAULT true,
    dry_run      boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    condition text;
BEGIN
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    condition := steward_internal.tenant_policy_condition(relation, column_name, CASE WHEN folded THEN 'is_current_tenant_folded' ELSE 'is_current_tenant' END);
    RETURN QUERY SELECT * FROM steward_internal.tenant_build(relation, roles, '{steward_tenant_floor,steward_tenant,steward_shared,steward_tree}',
        ARRAY[condition, condition, NULL, NULL],
        ARRAY(SELECT steward_internal.tenant_column_commands(relation, column_name, 'tenant', true, create_index))
        || ARRAY(SELECT steward_internal.tenant_leftover_commands(relation)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect(regclass, name, name[], boolean, boolean, boolean) IS
'Lets roles, by default all, see and write the rows of their tenant only; returns the commands.';

-- What is read besides the tenant's rows widens the floor; what is written does not.
CREATE FUNCTION steward.tenant_protect_shared(
    relation     regclass,
    column_name  name    DEFAULT 'tenant_id',
    roles        name[]  DEFAULT NULL,
    create_index boolean DEFAULT true,
    dry_run      boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    condition text;
    is_shared text;
BEGIN
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    condition := steward_internal.tenant_policy_condition(relation, column_name, 'is_current_tenant');
    is_shared := format('(%I IS NULL)', column_name);
    RETURN QUERY SELECT * FROM steward_internal.tenant_build(relation, roles, '{steward_tenant_floor,steward_tenant,steward_shared,steward_tree}',
        ARRAY[format('(%s OR %s)', condition, is_shared), condition, is_shared, NULL],
        ARRAY(SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', m.qualified_name, column_name)
                FROM steward_internal.table_members(relation) m JOIN pg_attribute a ON a.attrelid = m.member AND a.attname = column_name AND a.attnotnull
               WHERE m.member = relation)
        || ARRAY(SELECT c FROM steward_internal.tenant_column_commands(relation, column_name, 'tenant', true, create_index) c WHERE c NOT LIKE '% SET NOT NULL')
        || ARRAY(SELECT steward_internal.tenant_leftover_commands(relation, keep_writers => true)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_shared(regclass, name, name[], boolean, boolean) IS
'Lets roles, by default all, see and write the rows of their tenant, and see those of no tenant; returns the commands.';

CREATE FUNCTION steward.tenant_write_shared(relation regclass, role_name name, column_name name DEFAULT 'tenant_id', dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    role_id oid;
BEGIN
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    PERFORM steward_internal.check_roles(ARRAY[role_name]), steward_internal.tenant_key_function(relation, column_name, 'tenant');
    role_id := quote_ident(role_name)::regrole;
    IF NOT EXISTS (SELECT FROM steward_internal.tenant_own_policies p WHERE p.relation_id = relation AND p.builder = 'shared') THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('table %s has no rows of all tenants', relation),
            HINT = format('SELECT steward.tenant_protect_shared(%L);', relation);
    END IF;
    RETURN QUERY SELECT * FROM steward_internal.tenant_run(relation,
        ARRAY(SELECT steward_internal.tenant_policy_commands(relation, relation, ARRAY[role_id],
            ARRAY[coalesce((SELECT p.policy_name FROM steward_internal.tenant_own_policies p
                             WHERE p.relation_id = relation AND p.builder = 'writer' AND p.role_ids = ARRAY[role_id] ORDER BY p.policy_name LIMIT 1),
                           steward_internal.object_name('steward_writer_', role_name))],
            ARRAY[format('(%I IS NULL)', column_name)])), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_write_shared(regclass, name, name, boolean) IS
'Lets one role see and write the rows of no tenant, which all tenants see, by a policy of its own; returns the commands.';

CREATE FUNCTION steward_internal.tenant_tree_commands(tree regclass, tree_column name, parent_column name, column_type regtype,
    OUT function_name text, OUT commands text[]) RETURNS record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    t record;
BEGIN
    SELECT c.relname, n.nspname, c.relowner, c.relrowsecurity AND c.relforcerowsecurity AS held, o.rolsuper OR o.rolbypassrls AS sees_all, o.rolname AS owner INTO t
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner WHERE c.oid = tree;
    function_name := format('%I.%I', t.nspname, steward_internal.object_name('steward_tree_', t.relname));
    commands := CASE WHEN to_regprocedure(function_name || '()') IS NULL THEN ARRAY[
        format('CREATE FUNCTION %s() RETURNS %s[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp '
               'BEGIN ATOMIC WITH RECURSIVE t AS (SELECT %s AS id UNION SELECT c.%I FROM %I.%I c JOIN t ON c.%I = t.id) SELECT array_agg(t.id) FROM t; END',
               function_name, column_type, steward_internal.tenant_key_function(tree, tree_column, 'tenant'), tree_column, t.nspname, t.relname, parent_column),
        format('ALTER FUNCTION %s() OWNER TO %I', function_name, t.owner)] ELSE '{}' END
        -- the function reads the tree as its owner, for which its policies may hold
        || CASE WHEN t.held AND NOT t.sees_all THEN ARRAY(SELECT rtrim(c, ';') FROM steward.tenant_admin_all(tree, t.owner, true) c) ELSE '{}' END;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_tree_commands(regclass, name, name, regtype) IS
'Returns the function that tells the current tenant and all below it in a tree, and the commands that make it.';

CREATE FUNCTION steward.tenant_protect_tree(
    relation      regclass,
    tree          regclass,
    column_name   name    DEFAULT 'tenant_id',
    tree_column   name    DEFAULT 'id',
    parent_column name    DEFAULT 'parent_id',
    writes        boolean DEFAULT false,
    roles         name[]  DEFAULT NULL,
    create_index  boolean DEFAULT true,
    dry_run       boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    condition text;
    of_tree text;
    wanted record;
BEGIN
    IF num_nulls(tree, writes) > 0 THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments "tree" and "writes" of steward.tenant_protect_tree() must not be null';
    END IF;
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    condition := steward_internal.tenant_policy_condition(relation, column_name, 'is_current_tenant');
    PERFORM steward_internal.check_owners(tree);
    PERFORM steward_internal.check_column(tree, parent_column, steward_internal.tenant_base_type(relation, column_name)::text);
    IF steward_internal.tenant_key_function(tree, tree_column, 'tenant') <> steward_internal.tenant_key_function(relation, column_name, 'tenant')
       OR steward_internal.tenant_base_type(tree, parent_column) <> steward_internal.tenant_base_type(tree, tree_column) THEN
        RAISE datatype_mismatch USING
            MESSAGE = format('columns "%s" and "%s" of table %s are not of the type of column "%s" of table %s', tree_column, parent_column, tree, column_name, relation),
            HINT = format('ALTER TABLE %s ALTER COLUMN %I TYPE %s, ALTER COLUMN %I TYPE %3$s;', tree, tree_column, steward_internal.tenant_base_type(relation, column_name), parent_column);
    END IF;
    SELECT * INTO wanted FROM steward_internal.tenant_tree_commands(tree, tree_column, parent_column, steward_internal.tenant_base_type(relation, column_name));
    -- a list made once for each query, of which an index has the rows
    of_tree := format('(%I = ANY ((SELECT %s() AS %I)::%s[]))', column_name, wanted.function_name,
                      split_part(wanted.function_name, '.', 2), steward_internal.tenant_base_type(relation, column_name));
    RETURN QUERY SELECT * FROM steward_internal.run_commands(wanted.commands, dry_run);
    RETURN QUERY SELECT * FROM steward_internal.tenant_build(relation, roles, '{steward_tenant_floor,steward_tenant,steward_shared,steward_tree}',
        -- in parentheses, unlike beside shared rows: by the text it is known that it is within another floor
        ARRAY[of_tree, CASE WHEN writes THEN of_tree ELSE format('(%s)', condition) END, NULL, CASE WHEN NOT writes THEN of_tree END],
        ARRAY(SELECT steward_internal.tenant_column_commands(relation, column_name, 'tenant', true, create_index))
        || ARRAY(SELECT steward_internal.tenant_leftover_commands(relation, wanted.function_name)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_tree(regclass, regclass, name, name, name, boolean, name[], boolean, boolean) IS
'Lets roles, by default all, see and write the rows of their tenant, and see, on request also write, those of tenants below it in a tree; returns the commands.';

CREATE FUNCTION steward.tenant_protect_user(
    relation     regclass,
    column_name  name    DEFAULT 'user_id',
    roles        name[]  DEFAULT NULL,
    create_index boolean DEFAULT true,
    dry_run      boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    condition text;
BEGIN
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    condition := steward_internal.tenant_policy_condition(relation, column_name, 'is_current_user');
    RETURN QUERY SELECT * FROM steward_internal.tenant_build(relation, roles, '{steward_user_floor,steward_user}', ARRAY[condition, condition],
        ARRAY(SELECT steward_internal.tenant_column_commands(relation, column_name, 'user_id', true, create_index)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_user(regclass, name, name[], boolean, boolean) IS
'Lets roles, by default all, see and write the rows of their user only, within the tenant if the table has one; returns the commands.';

CREATE FUNCTION steward_internal.tenant_public_condition(relation regclass, column_name name, public_values text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    column_type regtype;
    condition text;
BEGIN
    PERFORM steward_internal.check_column(relation, column_name, 'boolean NOT NULL DEFAULT false');
    column_type := steward_internal.tenant_base_type(relation, column_name);
    IF coalesce(cardinality(public_values), 0) = 0 OR array_position(public_values, NULL) IS NOT NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'public_values must have values, and none of them null',
            HINT = format('SELECT steward.tenant_protect_visibility(%L, %L, public_values => ''{published}'');', relation, column_name);
    ELSIF NOT EXISTS (SELECT FROM pg_type y WHERE y.oid = column_type AND (y.typtype = 'e' OR y.oid IN (
                'boolean'::regtype, 'smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'text'::regtype, 'varchar'::regtype))) THEN
        RAISE datatype_mismatch USING
            MESSAGE = format('column "%s" of table %s is of type %s', column_name, relation, column_type),
            DETAIL = 'What is public is said by a boolean, an enum, an integer or a text.',
            HINT = format('ALTER TABLE %s ADD COLUMN published boolean NOT NULL DEFAULT false;', relation);
    ELSIF column_type = 'boolean'::regtype AND public_values = '{true}' THEN
        RETURN quote_ident(column_name);
    END IF;
    SELECT format('%s IN (%s)', quote_ident(column_name), string_agg(format('%L::%s', v.value, column_type), ', ' ORDER BY v.place)) INTO condition
      FROM unnest(public_values) WITH ORDINALITY v(value, place);
    -- whether they are values of the type, before anything is changed
    EXECUTE format('SELECT NULL::%s IN (%s)', column_type, (SELECT string_agg(format('%L::%s', v, column_type), ', ') FROM unnest(public_values) v));
    RETURN condition;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_public_condition(regclass, name, text[]) IS
'Returns the condition that a column has one of some values; raises 42703, 42804, 22023 or 22P02 if it cannot.';

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
    is_author text;
BEGIN
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    is_author := steward_internal.tenant_policy_condition(relation, author_column, 'is_current_user');
    RETURN QUERY SELECT * FROM steward_internal.tenant_build(relation, roles, '{steward_public,steward_author}',
        ARRAY[steward_internal.tenant_public_condition(relation, public_column, public_values), is_author],
        ARRAY(SELECT steward_internal.tenant_column_commands(relation, author_column, 'user_id', true, create_index)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_visibility(regclass, name, name, text[], name[], boolean, boolean) IS
'Lets roles, by default all, see what is public and what they wrote, and write only that, within the tenant if the table has one; returns the commands.';

CREATE FUNCTION steward_internal.tenant_check_members(relation regclass, members regclass, roles oid[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    writer oid;
BEGIN
    IF EXISTS (
        WITH RECURSIVE tables AS (
            SELECT members::oid AS oid
             UNION
            SELECT d.refobjid FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
              JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass
        )
        SELECT FROM tables t WHERE t.oid IN (SELECT m.member FROM steward_internal.table_members(relation) m)) THEN
        RAISE invalid_recursion USING
            MESSAGE = format('policies of %1$s would ask %2$s, and that in the end %1$s', relation, members),
            HINT = format('SELECT steward.tenant_protect_user(%L);', members);
    END IF;
    SELECT g.grantee INTO writer
      FROM (SELECT x.grantee, x.privilege_type FROM pg_class c, aclexplode(c.relacl) x WHERE c.oid = members AND x.grantee <> c.relowner
             UNION
            SELECT x.grantee, x.privilege_type FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = members) g
     WHERE g.privilege_type IN ('INSERT', 'UPDATE')
       AND (g.grantee = 0 OR EXISTS (SELECT FROM unnest(roles) r(role) WHERE CASE r.role WHEN 0 THEN true ELSE pg_has_role(r.role, g.grantee, 'USAGE') END))
     ORDER BY g.grantee LIMIT 1;
    IF writer IS NOT NULL THEN
        RAISE WARNING USING
            MESSAGE = format('roles that may write table %s can make themselves members of any tenant', members),
            HINT = format('REVOKE INSERT, UPDATE ON %s FROM %s;', members, CASE writer WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(writer)) END);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_check_members(regclass, regclass, oid[]) IS
'Raises 42P19 if the policies of a table of members would ask the table that asks it; warns if roles may write it.';

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
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    PERFORM steward_internal.tenant_key_function(relation, column_name, 'tenant');
    IF members IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'table of members must not be null';
    END IF;
    PERFORM steward_internal.tenant_key_function(members, user_column, 'user_id');
    IF steward_internal.tenant_key_function(members, member_column, 'tenant') <> steward_internal.tenant_key_function(relation, column_name, 'tenant') THEN
        RAISE datatype_mismatch USING
            MESSAGE = format('column "%s" of table %s is not of the type of column "%s" of table %s', member_column, members, column_name, relation),
            HINT = format('ALTER TABLE %s ALTER COLUMN %I TYPE %s;', members, member_column, steward_internal.tenant_base_type(relation, column_name));
    END IF;
    PERFORM steward_internal.tenant_check_members(relation, members, steward_internal.tenant_policy_roles(relation, roles));
    -- a list made once for each query: an index serves it, and no function is called for each row
    SELECT format('%I = ANY (ARRAY(SELECT m.%I FROM %s m WHERE steward.is_current_user(m.%I)))', column_name, member_column, m.qualified_name, user_column)
      INTO condition FROM steward_internal.table_members(members) m WHERE m.member = members;
    RETURN QUERY SELECT * FROM steward_internal.tenant_build(relation, roles, '{steward_member}', ARRAY[condition],
        ARRAY(SELECT steward_internal.tenant_column_commands(relation, column_name, 'tenant', false, create_index)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_member(regclass, regclass, name, name, name, name[], boolean, boolean) IS
'Lets roles, by default all, see and write the rows of all tenants of which a table says that the user is a member; returns the commands.';

CREATE FUNCTION steward.tenant_admin_all(relation regclass, role_name name, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    role_id oid;
BEGIN
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    PERFORM steward_internal.check_roles(ARRAY[role_name]);
    role_id := quote_ident(role_name)::regrole;
    IF (SELECT r.rolsuper OR r.rolbypassrls FROM pg_roles r WHERE r.oid = role_id) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('role "%s" sees all rows of all tables', role_name),
            HINT = 'It needs no policy.';
    END IF;
    PERFORM steward_internal.tenant_check_admins(relation,
        ARRAY(SELECT unnest(p.role_ids) FROM steward_internal.tenant_own_policies p WHERE p.relation_id = relation AND p.is_floor),
        ARRAY(SELECT unnest(p.role_ids) FROM steward_internal.tenant_own_policies p WHERE p.relation_id = relation AND NOT p.for_admin),
        ARRAY[role_id]);
    RETURN QUERY SELECT * FROM steward_internal.tenant_run(relation,
        ARRAY(SELECT steward_internal.tenant_policy_commands(relation, relation, ARRAY[role_id],
            -- a role that was renamed has one
            ARRAY[coalesce((SELECT p.policy_name FROM steward_internal.tenant_own_policies p
                             WHERE p.relation_id = relation AND p.for_admin AND p.role_ids = ARRAY[role_id] ORDER BY p.policy_name LIMIT 1),
                           steward_internal.object_name('steward_admin_', role_name))],
            '{true}')), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_admin_all(regclass, name, boolean) IS
'Lets one role see and write all rows, by a policy of its own; returns the commands.';

CREATE FUNCTION steward.tenant_protect_partitions(relation regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    IF NOT EXISTS (SELECT FROM steward_internal.tenant_own_policies p WHERE p.relation_id = relation) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('table %s is not protected', relation),
            HINT = format('SELECT steward.tenant_protect(%L);', relation);
    END IF;
    RETURN QUERY SELECT * FROM steward_internal.tenant_run(relation, ARRAY(SELECT steward_internal.tenant_policy_commands(relation, relation, NULL, '{}', '{}')), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_protect_partitions(regclass, boolean) IS
'Gives the policies of a table to the partitions and inheritance children that it has got since; returns the commands.';

CREATE FUNCTION steward.tenant_unprotect(relation regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    IF EXISTS (SELECT FROM steward.tenant_guard_settings g WHERE g.mode = 'protect')
       AND EXISTS (SELECT FROM steward_internal.table_members(relation) m WHERE steward_internal.tenant_guard_column(m.member) IS NOT NULL) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('event trigger steward_tenant_guard protects table %s', relation),
            HINT = format('INSERT INTO steward.muted_findings (finding_key, reason) VALUES (%L, ''...'');',
                          'no_rls:' || (SELECT m.qualified_name FROM steward_internal.table_members(relation) m WHERE m.member = relation));
    END IF;
    RETURN QUERY SELECT * FROM steward_internal.tenant_run(relation, ARRAY(
        SELECT c.command
          FROM steward_internal.table_members(relation) m
         CROSS JOIN LATERAL (
               SELECT 1, format('DROP POLICY %I ON %s', p.policy_name, m.qualified_name), p.policy_name
                 FROM steward_internal.tenant_own_policies p WHERE p.relation_id = m.member
                UNION ALL
               SELECT 2, format('DROP TRIGGER %I ON %s', f.trigger_name, m.qualified_name), f.trigger_name
                 FROM steward_internal.tenant_fill_triggers f WHERE f.relation_id = m.member AND NOT f.is_inherited
                UNION ALL
               -- policies of others stay, and in force
               SELECT 3, format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', m.qualified_name), NULL
                WHERE EXISTS (SELECT FROM steward_internal.tenant_own_policies p WHERE p.relation_id = m.member)
                  AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = m.member
                                     AND p.polname NOT IN (SELECT o.policy_name FROM steward_internal.tenant_own_policies o WHERE o.relation_id = m.member))
               ) c(step, command, policy_name)
         ORDER BY m.depth, m.qualified_name COLLATE "C", c.step, c.policy_name COLLATE "C")
        || ARRAY(SELECT steward_internal.tenant_leftover_commands(relation, keep_writers => true)), dry_run);
END $$;
COMMENT ON FUNCTION steward.tenant_unprotect(regclass, boolean) IS
'Drops the policies and triggers that the builders made, and turns row security off where there are no others; returns the commands. Columns, indexes and rights stay.';
