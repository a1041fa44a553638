-- tenant_erase: removing everything that belongs to a tenant.

-- Written so that indexes can be used. Values that are equal to the key's only by a collation are other tenants'.
CREATE FUNCTION steward_internal.tenant_condition(relation regclass, column_name name, tenant text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    type constant regtype := (SELECT coalesce(nullif(t.typbasetype, 0), t.oid) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                               WHERE a.attrelid = relation AND a.attname = column_name);
    value text;
BEGIN
    IF type IN ('text'::regtype, 'varchar'::regtype) THEN
        RETURN format('t.%I = %L AND t.%1$I COLLATE "C" = %2$L', column_name, tenant);
    ELSIF type IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'uuid'::regtype) THEN
        BEGIN
            EXECUTE format('SELECT (%L::%s)::text', tenant, type) INTO value;
        EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
            RETURN 'false';
        END;
        -- 007 is not 7, as in the context
        RETURN CASE WHEN value = tenant OR type = 'uuid'::regtype THEN format('t.%I = %L::%s', column_name, tenant, type) ELSE 'false' END;
    END IF;
    RETURN format('t.%I::text = %L', column_name, tenant);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_condition(regclass, name, text) IS
'Returns the condition that the rows of a tenant in a table called t meet.';

CREATE FUNCTION steward_internal.tenant_erase_tables(tenant text, tenant_columns name[], schema_name text,
    OUT relation regclass, OUT column_name name, OUT condition text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.relation_id::regclass, t.column_name, steward_internal.tenant_condition(t.relation_id, t.column_name, tenant)
      FROM steward_internal.tenant_tables(tenant_columns) t
     WHERE NOT t.is_partition AND t.schema_id IS DISTINCT FROM to_regnamespace(quote_ident(schema_name));
END;
COMMENT ON FUNCTION steward_internal.tenant_erase_tables(text, name[], text) IS
'Returns the tables outside its own schema that have rows of a tenant, and which these are.';

CREATE FUNCTION steward_internal.tenant_erase_check(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
BEGIN
    IF NOT has_table_privilege(relation, 'SELECT') OR NOT has_table_privilege(relation, 'DELETE') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('permission denied for table %s', relation),
            HINT = format('GRANT SELECT, DELETE ON %s TO %I;', relation, current_user);
    ELSIF row_security_active(relation) THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('row security may hide rows of %s from "%s"', relation, current_user),
            HINT = format('ALTER ROLE %I BYPASSRLS;', current_user);
    ELSIF pg_relation_is_updatable(relation, false) & 16 = 0 THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('rows of foreign table %s cannot be deleted', relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_erase_check(regclass) IS
'Raises 42501 unless the current role can read and delete all rows of a table.';

-- A foreign key counts for the root of a partition.
CREATE FUNCTION steward_internal.tenant_erase_keys(OUT key_id oid, OUT child regclass, OUT parent regclass, OUT action "char", OUT is_deferrable boolean, OUT join_condition text)
RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid, coalesce(pg_partition_root(c.conrelid), c.conrelid::regclass), coalesce(pg_partition_root(c.confrelid), c.confrelid::regclass),
           c.confdeltype, c.condeferrable,
           (SELECT string_agg(format('p.%I OPERATOR(%I.%s) t.%I', f.attname, n.nspname, o.oprname, h.attname), ' AND ')
              FROM unnest(c.conkey, c.confkey, c.conpfeqop) k (here, there, operator)
              JOIN pg_attribute h ON h.attrelid = c.conrelid AND h.attnum = k.here
              JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = k.there
              JOIN pg_operator o ON o.oid = k.operator
              JOIN pg_namespace n ON n.oid = o.oprnamespace)
      FROM pg_constraint c
     WHERE c.contype = 'f' AND c.conparentid = 0;
END;
COMMENT ON FUNCTION steward_internal.tenant_erase_keys() IS
'Returns the foreign keys of this database, between tables and partitioned tables.';

CREATE FUNCTION steward_internal.tenant_erase_order(relations regclass[], OUT ordered regclass[], OUT deferred oid[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    remaining regclass[] := relations;
    free regclass[];
    whole boolean := true;
BEGIN
    ordered := '{}';
    deferred := '{}';
    WHILE remaining <> '{}' LOOP
        -- whose rows no other table refers to; in a circle, whose rows can go before those that refer to them
        SELECT array_agg(r.relation ORDER BY r.relation::text COLLATE "C") INTO free
          FROM unnest(remaining) r (relation)
         WHERE NOT EXISTS (SELECT FROM steward_internal.tenant_erase_keys() k
                            WHERE k.parent = r.relation AND k.child <> r.relation AND k.child = ANY (remaining)
                              AND (whole OR NOT k.is_deferrable AND k.action NOT IN ('c', 'n', 'd')));
        IF free IS NULL AND NOT whole THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = 'tables refer to each other in a circle',
                DETAIL = (SELECT string_agg(format('%I of %s', c.conname, k.child), ', ' ORDER BY k.child::text COLLATE "C", c.conname)
                            FROM steward_internal.tenant_erase_keys() k JOIN pg_constraint c ON c.oid = k.key_id
                           WHERE k.child = ANY (remaining) AND k.parent = ANY (remaining) AND k.child <> k.parent),
                HINT = (SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE;', k.child, c.conname)
                          FROM steward_internal.tenant_erase_keys() k JOIN pg_constraint c ON c.oid = k.key_id
                         WHERE k.child = ANY (remaining) AND k.parent = ANY (remaining) AND k.child <> k.parent
                         ORDER BY k.child::text COLLATE "C", c.conname LIMIT 1);
        ELSIF free IS NULL THEN
            whole := false;
            CONTINUE;
        ELSIF NOT whole THEN
            free := free[1:1];
            deferred := deferred || ARRAY(SELECT k.key_id FROM steward_internal.tenant_erase_keys() k
                                           WHERE k.parent = free[1] AND k.child <> free[1] AND k.child = ANY (remaining) AND k.is_deferrable);
            whole := true;
        END IF;
        ordered := ordered || free;
        remaining := ARRAY(SELECT r.relation FROM unnest(remaining) r (relation) WHERE r.relation <> ALL (free));
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_erase_order(regclass[]) IS
'Returns tables in an order in which their rows can be deleted, and the foreign keys to be deferred for it.';

-- Rows of tables without a tenant go where their parents go. Where that would lead to rows of other tenants, it ends.
CREATE FUNCTION steward_internal.tenant_erase_cascades(tenant text, tenant_columns name[], schema_name text,
    OUT relation text, OUT rows bigint, OUT command text) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET quote_all_identifiers = off
AS $$
DECLARE
    tables constant regclass[] := ARRAY(SELECT t.relation FROM steward_internal.tenant_erase_tables(tenant, tenant_columns, schema_name) t);
    parents regclass[] := tables;
    -- the rows of each
    queries text[] := ARRAY(SELECT format('SELECT t.* FROM %s t WHERE %s', t.relation, t.condition)
                              FROM steward_internal.tenant_erase_tables(tenant, tenant_columns, schema_name) t);
    followed oid[] := '{}';
    condition text;
    k record;
BEGIN
    WHILE parents <> '{}' LOOP
        FOR k IN
            SELECT f.*, t.condition AS own, c.conname
              FROM steward_internal.tenant_erase_keys() f
              JOIN pg_constraint c ON c.oid = f.key_id
              LEFT JOIN steward_internal.tenant_erase_tables(tenant, tenant_columns, schema_name) t ON t.relation = f.child
             WHERE f.parent = parents[1] AND f.action IN ('c', 'n', 'd')
             ORDER BY f.child::text COLLATE "C", c.conname
        LOOP
            condition := format('EXISTS (SELECT FROM (%s) p WHERE %s)', queries[1], k.join_condition);
            EXECUTE format('SELECT count(*) FROM %s t WHERE %s%s', k.child, condition,
                           CASE WHEN k.own IS NOT NULL THEN format(' AND (%s) IS NOT TRUE', k.own) END) INTO rows;
            CONTINUE WHEN rows = 0;
            IF k.own IS NOT NULL THEN
                RAISE foreign_key_violation USING
                    MESSAGE = format('%s rows of other tenants in %s would go or change with those of tenant "%s"', rows, k.child, tenant),
                    DETAIL = format('They refer to rows of %s by foreign key "%s".', k.parent, k.conname),
                    HINT = 'SELECT * FROM steward.tenant_fk_check();';
            ELSIF k.key_id = ANY (followed) THEN
                RAISE feature_not_supported USING
                    MESSAGE = format('cannot follow foreign key "%s" of %s: it leads in a circle', k.conname, k.child);
            END IF;
            relation := k.child;
            command := format('-- %s of %I', CASE k.action WHEN 'c' THEN 'ON DELETE CASCADE' WHEN 'n' THEN 'ON DELETE SET NULL' ELSE 'ON DELETE SET DEFAULT' END, k.conname);
            RETURN NEXT;
            IF k.action = 'c' THEN
                followed := followed || k.key_id;
                parents := parents || k.child;
                queries := queries || format('SELECT t.* FROM %s t WHERE %s', k.child, condition);
            END IF;
        END LOOP;
        parents := parents[2:];
        queries := queries[2:];
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_erase_cascades(text, name[], text) IS
'Returns which rows of tables without a tenant foreign keys will delete or change; raises 23503 if any are of other tenants.';

CREATE FUNCTION steward_internal.tenant_erase_schema(schema_name text,
    OUT relation text, OUT rows bigint, OUT command text) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET quote_all_identifiers = off
AS $$
DECLARE
    schema_id constant regnamespace := to_regnamespace(quote_ident(schema_name));
    outside text;
    t record;
BEGIN
    IF schema_id IS NULL THEN
        RETURN;
    ELSIF NOT pg_has_role((SELECT n.nspowner FROM pg_namespace n WHERE n.oid = schema_id), 'USAGE') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('must be owner of schema %I', schema_name),
            HINT = (SELECT format('SET ROLE %I;', pg_get_userbyid(n.nspowner)) FROM pg_namespace n WHERE n.oid = schema_id);
    END IF;
    SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid), ', ') INTO outside
      FROM (SELECT 'pg_class'::regclass AS classid, c.oid FROM pg_class c WHERE c.relnamespace = schema_id
             UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p WHERE p.pronamespace = schema_id
             UNION ALL SELECT 'pg_type'::regclass, y.oid FROM pg_type y WHERE y.typnamespace = schema_id) o
      JOIN pg_depend d ON d.refclassid = o.classid AND d.refobjid = o.oid AND d.deptype IN ('n', 'a')
     WHERE (pg_identify_object_as_address(d.classid, d.objid, d.objsubid)).object_names[1] NOT IN (schema_name, 'pg_toast');
    IF outside IS NOT NULL THEN
        RAISE dependent_objects_still_exist USING
            MESSAGE = format('other objects depend on those of schema %I', schema_name),
            DETAIL = outside;
    END IF;
    FOR t IN
        SELECT c.oid::regclass AS relation FROM pg_class c
         WHERE c.relnamespace = schema_id AND c.relkind IN ('r', 'p', 'f', 'm') AND NOT c.relispartition
         ORDER BY c.relname
    LOOP
        relation := t.relation;
        EXECUTE format('SELECT count(*) FROM ONLY %s', relation) INTO rows;
        command := format('DROP SCHEMA %I CASCADE;', schema_name);
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_erase_schema(text) IS
'Returns the tables of a schema and how many rows they have; raises 2BP01 if anything outside it depends on them.';

CREATE FUNCTION steward_internal.tenant_erase_rows(tenant text, tenant_columns name[], schema_name text, dry_run boolean,
    OUT relation text, OUT rows bigint, OUT command text) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off SET quote_all_identifiers = off
AS $$
DECLARE
    ordered regclass[];
    deferred oid[];
    deferred_names text;
    t record;
    remaining bigint;
BEGIN
    SELECT o.ordered, o.deferred INTO ordered, deferred FROM steward_internal.tenant_erase_order(
        ARRAY(SELECT e.relation FROM steward_internal.tenant_erase_tables(tenant, tenant_columns, schema_name) e)) o;
    PERFORM steward_internal.tenant_erase_check(o.relation) FROM unnest(ordered) WITH ORDINALITY o (relation, place) ORDER BY o.place;
    RETURN QUERY SELECT c.relation, c.rows, c.command FROM steward_internal.tenant_erase_cascades(tenant, tenant_columns, schema_name) c;

    SELECT string_agg(format('%I.%I', n.nspname, c.conname), ', ') INTO deferred_names
      FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.oid = ANY (deferred);
    IF deferred_names IS NOT NULL AND NOT dry_run THEN
        EXECUTE format('SET CONSTRAINTS %s DEFERRED', deferred_names);
    END IF;
    FOR t IN
        SELECT e.relation, e.condition, CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END AS reach
          FROM steward_internal.tenant_erase_tables(tenant, tenant_columns, schema_name) e
          JOIN pg_class c ON c.oid = e.relation
         ORDER BY array_position(ordered, e.relation)
    LOOP
        relation := t.relation;
        command := format('DELETE FROM %s%s t WHERE %s;', t.reach, t.relation, t.condition);
        EXECUTE format('SELECT count(*) FROM %s%s t WHERE %s', t.reach, t.relation, t.condition) INTO rows;
        RETURN NEXT;
        IF rows > 0 AND NOT dry_run THEN
            EXECUTE command;
        END IF;
    END LOOP;
    IF dry_run THEN
        RETURN;
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;
    FOR t IN SELECT e.relation, e.condition FROM steward_internal.tenant_erase_tables(tenant, tenant_columns, schema_name) e LOOP
        EXECUTE format('SELECT count(*) FROM %s t WHERE %s', t.relation, t.condition) INTO remaining;
        IF remaining > 0 THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('%s rows of tenant "%s" are still in %s', remaining, tenant, t.relation),
                DETAIL = 'A trigger or rule has kept them, or another transaction has added them.',
                HINT = coalesce((SELECT format('ALTER TABLE %s DISABLE TRIGGER %I;', t.relation, g.tgname) FROM pg_trigger g
                                  WHERE g.tgrelid = t.relation AND NOT g.tgisinternal AND g.tgtype & 8 = 8 AND g.tgtype & 2 = 2
                                    AND g.tgenabled <> 'D' ORDER BY g.tgname LIMIT 1),
                                format('SELECT steward.tenant_suspend(%L);', tenant));
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_erase_rows(text, name[], text, boolean) IS
'Deletes the rows of a tenant from the tables outside its schema, and makes sure that none is left.';

CREATE FUNCTION steward.tenant_erase(tenant text, dry_run boolean DEFAULT true, tenant_columns name[] DEFAULT '{tenant_id}',
    OUT relation text, OUT rows bigint, OUT command text) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off SET quote_all_identifiers = off
AS $$
DECLARE
    r constant steward.tenants := steward_internal.tenant_lock(tenant);
    counts jsonb := '{}';
BEGIN
    IF r.status = 'active' AND NOT dry_run THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('tenant "%s" is active', tenant),
            HINT = format('SELECT steward.tenant_suspend(%L);', tenant);
    END IF;
    FOR relation, rows, command IN
        SELECT * FROM steward_internal.tenant_erase_schema(r.schema_name)
         UNION ALL
        SELECT * FROM steward_internal.tenant_erase_rows(r.key, tenant_columns, r.schema_name, dry_run)
    LOOP
        counts := counts || jsonb_build_object(relation, rows + coalesce((counts ->> relation)::bigint, 0));
        RETURN NEXT;
    END LOOP;
    IF dry_run THEN
        RETURN;
    END IF;
    IF to_regnamespace(quote_ident(r.schema_name)) IS NOT NULL THEN
        EXECUTE format('DROP SCHEMA %I CASCADE', r.schema_name);
    END IF;
    DELETE FROM steward.tenant_migrations m WHERE m.schema_name = r.schema_name;
    UPDATE steward.tenants t
       SET status = 'erased', template = NULL, changed_at = now(),
           erasure = jsonb_build_object('at', now(), 'by', session_user, 'rows', counts, 'before', r.erasure)
     WHERE t.key = r.key;
END $$;
COMMENT ON FUNCTION steward.tenant_erase(text, boolean, name[]) IS
'Removes all rows of a suspended tenant and its schema, or says which; the counts stay in the registry.';
