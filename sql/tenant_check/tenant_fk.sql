-- tenant_fk: foreign keys that lead from one tenant's rows to another's.

-- Policies would hide what is looked for; row_security = off makes that an error.
CREATE FUNCTION steward.tenant_fk_check(tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL,
    OUT constraint_name name, OUT table_name text, OUT referenced_table text, OUT cross_tenant_rows bigint, OUT detail text) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET quote_all_identifiers = off
AS $$
DECLARE
    k record;
BEGIN
    FOR k IN
        SELECT f.*, (SELECT string_agg(format('r.%I OPERATOR(%I.%s) t.%I', u.there, n.nspname, o.oprname, u.here), ' AND ')
                       FROM pg_constraint c
                      CROSS JOIN LATERAL unnest(f.key_columns, f.referenced_columns, c.conpfeqop) u (here, there, operator)
                       JOIN pg_operator o ON o.oid = u.operator
                       JOIN pg_namespace n ON n.oid = o.oprnamespace
                      WHERE c.conrelid = f.relation_id AND c.conname = f.constraint_name) AS condition
          FROM steward_internal.tenant_foreign_keys(tenant_columns, schemas) f
         ORDER BY f.qualified_name COLLATE "C", f.constraint_name COLLATE "C"
    LOOP
        constraint_name := k.constraint_name;
        table_name := k.qualified_name;
        referenced_table := k.referenced_name;
        detail := NULL;
        BEGIN
            EXECUTE format('SELECT count(*) FROM %s t JOIN %s r ON %s WHERE t.%I IS DISTINCT FROM r.%I',
                           k.qualified_name, k.referenced_name, k.condition, k.tenant_column, k.referenced_tenant)
               INTO cross_tenant_rows;
        EXCEPTION
            WHEN insufficient_privilege OR undefined_function THEN
                cross_tenant_rows := NULL;
                detail := SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.tenant_fk_check(name[], regnamespace[]) IS
'Returns the foreign keys that lack the tenant, and how many rows refer to rows of other tenants; null if that may not be read.';

CREATE FUNCTION steward.tenant_fk_guard(relation regclass, constraint_name name, tenant_columns name[] DEFAULT '{tenant_id}',
    validate boolean DEFAULT true, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off SET quote_all_identifiers = off
AS $$
DECLARE
    k record;
    forced text[];
    command text;
BEGIN
    PERFORM steward_internal.check_owner(relation);
    SELECT * INTO k FROM steward_internal.tenant_foreign_keys(tenant_columns) f
     WHERE f.relation_id = relation AND f.constraint_name = tenant_fk_guard.constraint_name;
    IF NOT FOUND AND EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = relation AND c.conname = tenant_fk_guard.constraint_name AND c.contype = 'f'
                             AND c.confrelid IN (SELECT t.relation_id FROM steward_internal.tenant_tables(tenant_columns) t)) THEN
        RETURN;     -- it has the tenant
    ELSIF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('"%s" is not a foreign key of %s to a table of tenants', constraint_name, relation),
            HINT = 'SELECT * FROM steward.tenant_fk_check();';
    END IF;
    IF k.definition IS NULL THEN
        RAISE feature_not_supported USING
            MESSAGE = format('foreign key "%s" of %s cannot be given the tenant', constraint_name, relation),
            DETAIL = 'It is MATCH FULL, or ON UPDATE SET NULL or SET DEFAULT, or has the column of the tenant otherwise.',
            HINT = format('ALTER TABLE %s DROP CONSTRAINT %I, ADD FOREIGN KEY ...;', relation, constraint_name);
    END IF;
    PERFORM steward_internal.check_owner(k.referenced_id);
    -- an owner who is held by the table's policies cannot check the rows of all
    forced := ARRAY(
        SELECT DISTINCT m.qualified_name COLLATE "C"
          FROM unnest(ARRAY[k.relation_id, k.referenced_id]) r (id)
         CROSS JOIN LATERAL steward_internal.table_members(r.id) m
          JOIN pg_class c ON c.oid = m.member
         WHERE validate AND c.relforcerowsecurity AND NOT (SELECT o.rolsuper OR o.rolbypassrls FROM pg_roles o WHERE o.rolname = current_user)
         ORDER BY 1);
    FOREACH command IN ARRAY
        ARRAY(SELECT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', f) FROM unnest(forced) f) ||
        array_remove(ARRAY[
            CASE WHEN k.needs_unique THEN
                format('ALTER TABLE %s ADD UNIQUE (%s)', k.referenced_name,
                       (SELECT string_agg(quote_ident(u.name), ', ' ORDER BY u.position)
                          FROM unnest(k.referenced_tenant || k.referenced_columns) WITH ORDINALITY u (name, position))) END,
            format('ALTER TABLE %1$s DROP CONSTRAINT %2$I, ADD CONSTRAINT %2$I %3$s%4$s', k.qualified_name, constraint_name, k.definition,
                   CASE WHEN validate THEN '' ELSE ' NOT VALID' END)], NULL) ||
        ARRAY(SELECT format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', f) FROM unnest(forced) f)
    LOOP
        IF NOT dry_run THEN
            BEGIN
                EXECUTE command;
            EXCEPTION WHEN foreign_key_violation THEN
                RAISE foreign_key_violation USING
                    MESSAGE = format('rows of %s refer to rows of other tenants by "%s"', relation, constraint_name),
                    DETAIL = SQLERRM,
                    HINT = 'Mend the rows, or pass validate => false to guard new rows only.';
            END;
        END IF;
        RETURN NEXT command || ';';
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.tenant_fk_guard(regclass, name, name[], boolean, boolean) IS
'Puts the tenant into a foreign key between tables of tenants; returns the commands it ran.';
