-- tenant_child: tables whose rows belong to the tenants of the rows that they refer to.

CREATE FUNCTION steward.tenant_parent_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_tenant_parent_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.tenant_parent_trigger() IS
'Gives a new row the tenant of the row that it refers to; its arguments are the column of the tenant and one of the foreign key.';

-- The foreign key by which a table belongs to another; one that has the tenant already counts more.
CREATE FUNCTION steward_internal.tenant_child_key(relation regclass, parent regclass, column_name name, key_column name DEFAULT NULL,
    OUT constraint_name name, OUT columns name[], OUT parent_columns name[], OUT condition text, OUT has_tenant boolean) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.conname, k.here, k.there, k.condition, coalesce(k.has_tenant, false)
      FROM pg_constraint c
     CROSS JOIN LATERAL (
           SELECT array_agg(h.attname ORDER BY u.place) FILTER (WHERE h.attname <> column_name) AS here,
                  array_agg(t.attname ORDER BY u.place) FILTER (WHERE h.attname <> column_name) AS there,
                  string_agg(format('p.%I OPERATOR(%I.%s) c.%I', t.attname, n.nspname, o.oprname, h.attname), ' AND ' ORDER BY u.place)
                      FILTER (WHERE h.attname <> column_name) AS condition,
                  bool_or(h.attname = column_name) AS has_tenant
             FROM unnest(c.conkey, c.confkey, c.conpfeqop) WITH ORDINALITY u (here, there, operator, place)
             JOIN pg_attribute h ON h.attrelid = c.conrelid AND h.attnum = u.here
             JOIN pg_attribute t ON t.attrelid = c.confrelid AND t.attnum = u.there
             JOIN pg_operator o ON o.oid = u.operator
             JOIN pg_namespace n ON n.oid = o.oprnamespace) k
     WHERE c.conrelid = relation AND c.confrelid = parent AND c.contype = 'f' AND k.here IS NOT NULL
       AND (key_column IS NULL OR key_column = ANY (k.here))
     ORDER BY k.has_tenant DESC NULLS LAST, c.conname;
END;
COMMENT ON FUNCTION steward_internal.tenant_child_key(regclass, regclass, name, name) IS
'Returns the foreign keys from one table to another, the columns but for the tenant''s, and how rows c and p of the two are found to belong together.';

-- A parent may be a child in its turn, with or without the column yet.
CREATE FUNCTION steward_internal.tenant_is_child(relation regclass, column_name name) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped)
        OR EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = 'steward'::regnamespace AND f.proname = 'tenant_parent_trigger'
                    WHERE t.tgrelid = relation);
END;
COMMENT ON FUNCTION steward_internal.tenant_is_child(regclass, name) IS
'Tells whether the tenants of a table''s rows come, or must come, from those that they refer to.';

CREATE FUNCTION steward_internal.tenant_child_check(relation regclass, parent regclass, column_name name, key_column name, roles name[], batch_rows integer) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    keys integer;
    owner constant oid := (SELECT c.relowner FROM pg_class c WHERE c.oid = relation);
BEGIN
    IF num_nulls(relation, parent, column_name, batch_rows) > 0 OR batch_rows < 1 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'invalid arguments of steward.tenant_protect_child()',
            HINT = 'Name the table, its parent and the column of the tenant; batch_rows is at least 1.';
    END IF;
    PERFORM steward_internal.check_owners(relation), steward_internal.check_owners(parent);
    IF roles IS NOT NULL THEN
        PERFORM steward_internal.check_roles(roles);
    END IF;
    SELECT count(DISTINCT k.columns) INTO keys FROM steward_internal.tenant_child_key(relation, parent, column_name, key_column) k;
    IF keys <> 1 THEN
        RAISE invalid_foreign_key USING
            MESSAGE = CASE keys WHEN 0 THEN format('table %s has no foreign key to %s', relation, parent) ELSE format('table %s has several foreign keys to %s', relation, parent) END
                      || CASE WHEN key_column IS NOT NULL THEN format(' with column "%s"', key_column) ELSE '' END,
            DETAIL = CASE keys WHEN 0 THEN 'Without one, nothing says to which tenant the rows that are there belong.' ELSE 'Each may say to which tenant a row belongs.' END,
            HINT = CASE keys WHEN 0 THEN coalesce(steward_internal.tenant_key_command(relation, parent) || ';',
                                                  format('Give its rows a tenant in a column of its own, and then: SELECT steward.tenant_protect(%L, %L);', relation, column_name))
                             ELSE format('CALL steward.tenant_protect_child(%L, parent => %L, key_column => %L);', relation, parent,
                                         (SELECT k.columns[1] FROM steward_internal.tenant_child_key(relation, parent, column_name) k LIMIT 1)) END;
    ELSIF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = parent AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped)
          AND steward_internal.tenant_parent(parent, column_name) IS NULL THEN
        RAISE undefined_column USING
            MESSAGE = format('table %s has no column "%s", and refers to none that has', parent, column_name),
            HINT = 'Name the column as column_name => ''...''.';
    ELSIF NOT pg_has_role(owner, (SELECT c.relowner FROM pg_class c WHERE c.oid = parent), 'USAGE') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('the owner of table %s must own its parent %s, too', relation, parent),
            HINT = format('ALTER TABLE %s OWNER TO %I;', relation, (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = parent));
    END IF;
    RETURN owner;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_child_check(regclass, regclass, name, name, name[], integer) IS
'Returns the owner of a table; raises 22023, 42501, 42703, 42704 or 42830 for what tenant_protect_child() cannot do.';

CREATE FUNCTION steward_internal.tenant_child_commands(relation regclass, parent regclass, column_name name, key_column name DEFAULT NULL, roles name[] DEFAULT NULL,
    OUT step text, OUT command text) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    child constant text := (SELECT m.qualified_name FROM steward_internal.table_members(relation) m WHERE m.member = relation);
    parent_name constant text := (SELECT m.qualified_name FROM steward_internal.table_members(parent) m WHERE m.member = parent);
    -- the server validates foreign keys of partitioned tables at once
    is_partitioned constant boolean := (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = relation);
    above regclass;
    there record;
    here record;
    k record;
    condition text;
    not_null constant name := 'steward_tenant_not_null';
BEGIN
    IF steward_internal.tenant_is_child(parent, column_name) THEN
        RETURN QUERY SELECT * FROM steward_internal.tenant_child_commands(parent, steward_internal.tenant_parent(parent, column_name), column_name, NULL, roles);
    END IF;
    SELECT * INTO here FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
    SELECT * INTO k FROM steward_internal.tenant_child_key(relation, parent, column_name, key_column) LIMIT 1;
    IF here IS NULL THEN
        above := parent;
        LOOP
            SELECT * INTO there FROM pg_attribute a WHERE a.attrelid = above AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
            EXIT WHEN FOUND;
            above := steward_internal.tenant_parent(above, column_name);
        END LOOP;
        step := 'column';
        command := format('ALTER TABLE %s ADD COLUMN %I %s%s', child, column_name, format_type(there.atttypid, there.atttypmod),
                          (SELECT format(' COLLATE %I.%I', n.nspname, c.collname) FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
                            WHERE c.oid = there.attcollation AND c.collname <> 'default'));
        RETURN NEXT;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = 'steward'::regnamespace AND f.proname = 'tenant_parent_trigger'
                    WHERE t.tgrelid = relation AND t.tgenabled <> 'D') THEN
        step := 'trigger';
        command := format('CREATE TRIGGER %I BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION steward.tenant_parent_trigger(%L, %L)',
                          'steward_' || left(column_name, 50), child, quote_ident(column_name), quote_ident(k.columns[1]));
        RETURN NEXT;
    END IF;
    IF here.attnotnull IS NOT TRUE THEN
        step := 'fill';
        command := format('UPDATE %1$s c SET %2$I = p.%2$I FROM %3$s p WHERE c.%2$I IS NULL AND %4$s', child, column_name, parent_name, k.condition);
        RETURN NEXT;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indkey[0] = here.attnum AND i.indpred IS NULL AND i.indisvalid) THEN
        step := 'index';
        command := format('CREATE INDEX ON %s (%I, %s)', child, column_name, (SELECT string_agg(quote_ident(u.name), ', ' ORDER BY u.place) FROM unnest(k.columns) WITH ORDINALITY u (name, place)));
        RETURN NEXT;
    END IF;
    IF NOT k.has_tenant THEN
        step := 'foreign key';
        IF here IS NULL THEN
            command := format('SELECT steward.tenant_fk_guard(%L, %L, %L, validate => %L)', child, k.constraint_name, ARRAY[column_name]::text, is_partitioned);
            RETURN NEXT;
        ELSE
            FOR command IN SELECT rtrim(f, ';') FROM steward.tenant_fk_guard(relation, k.constraint_name, ARRAY[column_name], is_partitioned, true) f LOOP
                RETURN NEXT;
            END LOOP;
        END IF;
    END IF;
    IF NOT k.has_tenant AND NOT is_partitioned
       OR EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = relation AND c.conname = k.constraint_name AND NOT c.convalidated) THEN
        step := 'foreign key';
        command := format('ALTER TABLE %s VALIDATE CONSTRAINT %I', child, k.constraint_name);
        RETURN NEXT;
    END IF;
    -- none of these looks at rows while it locks out those who read and write
    IF here.attnotnull IS NOT TRUE THEN
        step := 'not null';
        IF NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = relation AND c.conname = not_null) THEN
            command := format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%I IS NOT NULL) NOT VALID', child, not_null, column_name);
            RETURN NEXT;
        END IF;
        IF NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = relation AND c.conname = not_null AND c.convalidated) THEN
            command := format('ALTER TABLE %s VALIDATE CONSTRAINT %I', child, not_null);
            RETURN NEXT;
        END IF;
        command := format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', child, column_name);
        RETURN NEXT;
    END IF;
    IF here.attnotnull IS NOT TRUE OR EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = relation AND c.conname = not_null) THEN
        step := 'not null';
        command := format('ALTER TABLE %s DROP CONSTRAINT %I', child, not_null);
        RETURN NEXT;
    END IF;
    step := 'policies';
    IF here IS NULL THEN
        command := format('SELECT steward_internal.tenant_child_policies(%L, %L, %L, %L)', child, parent_name, column_name, roles::text);
        RETURN NEXT;
    ELSE
        FOR command IN SELECT rtrim(f, ';') FROM steward_internal.tenant_child_policies(relation, parent, column_name, roles, true) f LOOP
            RETURN NEXT;
        END LOOP;
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_child_commands(regclass, regclass, name, name, name[]) IS
'Returns the commands that are left to do for a table to have the tenants of its parent''s rows; none if all is as it should be.';

CREATE FUNCTION steward_internal.tenant_child_policies(relation regclass, parent regclass, column_name name, roles name[], dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    condition text;
BEGIN
    PERFORM steward_internal.tenant_begin(relation, dry_run);
    condition := steward_internal.tenant_policy_condition(relation, column_name, 'is_current_tenant');
    -- a table that has no policies yet is for the roles of its parent
    IF roles IS NULL AND NOT EXISTS (SELECT FROM steward_internal.tenant_own_policies p WHERE p.relation_id = relation) THEN
        roles := ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END FROM unnest(steward_internal.tenant_policy_roles(parent, NULL)) r);
    END IF;
    -- the column gets no default: the trigger knows better
    RETURN QUERY SELECT * FROM steward_internal.tenant_build(relation, roles, '{steward_tenant_floor,steward_tenant}', ARRAY[condition, condition],
        ARRAY(SELECT steward_internal.tenant_fill_commands(relation, column_name, 'UPDATE')), dry_run);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_child_policies(regclass, regclass, name, name[], boolean) IS
'Does what tenant_protect() does for a table whose tenants come from its parent.';

CREATE FUNCTION steward_internal.tenant_child_contradictions(relation regclass, parent regclass, column_name name, key_column name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    k record;
    keys text;
    query text;
    found bigint;
    list text;
BEGIN
    SELECT * INTO k FROM steward_internal.tenant_child_key(relation, parent, column_name, key_column) LIMIT 1;
    SELECT string_agg('c.' || quote_ident(a.attname), ', ' ORDER BY array_position(i.indkey::smallint[], a.attnum)) INTO keys
      FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = relation AND i.indisprimary;
    keys := coalesce(keys, 'c.tableoid, c.ctid');
    query := format('FROM %1$s c LEFT JOIN %2$s p ON %3$s WHERE c.%4$I IS NULL OR c.%5$I IS NOT NULL AND c.%4$I IS DISTINCT FROM p.%4$I', relation, parent, k.condition, column_name, k.columns[1]);
    EXECUTE 'SELECT count(*) ' || query INTO found;
    IF found > 0 THEN
        EXECUTE format('SELECT string_agg(r.line, E''\n'') FROM (SELECT format(''(%%s): %%s, by its parent %%s'', concat_ws('', '', %1$s), coalesce(c.%2$I::text, ''null''), coalesce(p.%2$I::text, ''null'')) AS line %3$s ORDER BY %1$s LIMIT 20) r',
                       keys, column_name, query) INTO list;
        RAISE integrity_constraint_violation USING
            MESSAGE = format('%s row(s) of %s do not have the tenant of a row of %s', found, relation, parent),
            DETAIL = list,
            HINT = format('Mend them and call again. All of them: SELECT %1$s, c.%2$I, p.%2$I AS of_parent %3$s;', keys, column_name, query);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_child_contradictions(regclass, regclass, name, name) IS
'Raises 23000 with a list if rows have no tenant, or another one than those that they refer to.';

CREATE FUNCTION steward_internal.tenant_child_fill(relation regclass, parent regclass, column_name name, key_column name, batch_rows integer,
    INOUT page bigint, OUT message text) RETURNS record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    k record;
    member record;
    start bigint := coalesce(page, 0);
    pages bigint;
    filled bigint := 0;
BEGIN
    SELECT * INTO k FROM steward_internal.tenant_child_key(relation, parent, column_name, key_column) LIMIT 1;
    -- the pages of all members are counted as one row of pages
    FOR member IN
        SELECT m.member, m.qualified_name, pg_relation_size(m.member) / current_setting('block_size')::bigint AS pages, greatest(c.reltuples / greatest(c.relpages, 1), 20) AS density
          FROM steward_internal.table_members(relation) m JOIN pg_class c ON c.oid = m.member AND c.relkind = 'r'
         ORDER BY m.depth, m.qualified_name COLLATE "C"
    LOOP
        IF start >= member.pages THEN
            start := start - member.pages;
            CONTINUE;
        END IF;
        pages := greatest(1, least(member.pages - start, (batch_rows / member.density)::bigint));
        EXECUTE format('UPDATE ONLY %1$s c SET %2$I = p.%2$I FROM %3$s p WHERE c.ctid >= %4$L::tid AND c.ctid < %5$L::tid AND c.%2$I IS NULL AND %6$s',
                       member.qualified_name, column_name, parent, format('(%s,0)', start), format('(%s,0)', start + pages), k.condition);
        GET DIAGNOSTICS filled = ROW_COUNT;
        page := coalesce(page, 0) + pages;
        message := format('%s: %s row(s) filled in, page %s of %s', member.qualified_name, filled, start + pages, member.pages);
        RETURN;
    END LOOP;
    page := NULL;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_child_fill(regclass, regclass, name, name, integer, bigint) IS
'Gives rows from a page on the tenant of their parents; returns the page that is next, null after the last.';

CREATE FUNCTION steward_internal.tenant_child_step(relation regclass, parent regclass, column_name name, key_column name, roles name[], batch_rows integer,
    INOUT page bigint, OUT message text) RETURNS record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    next record;
    above record;
BEGIN
    IF steward_internal.tenant_is_child(parent, column_name) THEN
        SELECT * INTO above FROM steward_internal.tenant_child_step(parent, steward_internal.tenant_parent(parent, column_name), column_name, NULL, roles, batch_rows, page);
        IF above.message IS NOT NULL THEN
            page := above.page;
            message := above.message;
            RETURN;
        END IF;
    END IF;
    SELECT c.* INTO next FROM steward_internal.tenant_child_commands(relation, parent, column_name, key_column, roles) c WHERE NOT (page IS NOT DISTINCT FROM -1 AND c.step = 'fill') LIMIT 1;
    IF NOT FOUND THEN
        page := NULL;
        RETURN;
    ELSIF next.step = 'fill' THEN
        SELECT f.page, f.message INTO page, message FROM steward_internal.tenant_child_fill(relation, parent, column_name, key_column, batch_rows, page) f;
        IF page IS NULL THEN
            PERFORM steward_internal.tenant_child_contradictions(relation, parent, column_name, key_column);
            page := -1;
            message := format('%s: all rows have a tenant', relation);
        END IF;
        RETURN;
    ELSIF next.step = 'policies' THEN
        SELECT string_agg(c, E'\n') INTO message FROM steward_internal.tenant_child_policies(relation, parent, column_name, roles) c;
        RETURN;
    ELSIF next.step = 'foreign key' AND next.command NOT LIKE 'ALTER TABLE % VALIDATE CONSTRAINT %' THEN
        -- all that belongs to it, or nothing
        SELECT string_agg(f, E'\n') INTO message
          FROM steward_internal.tenant_child_key(relation, parent, column_name, key_column) k
         CROSS JOIN LATERAL steward.tenant_fk_guard(relation, k.constraint_name, ARRAY[column_name], (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = relation)) f
         WHERE NOT k.has_tenant;
        RETURN;
    END IF;
    EXECUTE next.command;
    message := next.command || ';';
    IF next.step = 'column' THEN
        -- with its trigger, by which a child is known for one
        SELECT c.* INTO next FROM steward_internal.tenant_child_commands(relation, parent, column_name, key_column, roles) c WHERE c.step = 'trigger';
        EXECUTE next.command;
        message := message || E'\n' || next.command || ';';
    END IF;
    -- that all have been filled in is known by now
    IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = column_name AND a.attnotnull) THEN
        page := NULL;
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_child_step(regclass, regclass, name, name, name[], integer, bigint) IS
'Does the next thing that is to be done for a table to have the tenants of its parent''s rows; returns what it did, null if there was nothing.';

CREATE PROCEDURE steward.tenant_protect_child(
    relation    regclass,
    parent      regclass,
    column_name name    DEFAULT 'tenant_id',
    key_column  name    DEFAULT NULL,
    roles       name[]  DEFAULT NULL,
    batch_rows  integer DEFAULT 10000,
    dry_run     boolean DEFAULT false)
AS 'MODULE_PATHNAME', 'steward_tenant_protect_child' LANGUAGE C;
COMMENT ON PROCEDURE steward.tenant_protect_child(regclass, regclass, name, name, name[], integer, boolean) IS
'Gives a table the tenants of the rows that it refers to: column, trigger, tenants of the rows that are there, foreign key, policies. Outside a transaction block it commits after each step, and goes on where it was stopped when called again.';

CREATE FUNCTION steward_internal.tenant_adoption(schema regnamespace, roles name[], column_name name, OUT step integer, OUT table_name text, OUT command text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    WITH RECURSIVE tables AS MATERIALIZED (
        SELECT t.* FROM steward_internal.tenant_tables(ARRAY[column_name], ARRAY[schema]) t WHERE t.kind IN ('r', 'p') AND NOT t.is_partition
    ), with_roots AS MATERIALIZED (
        SELECT t.relation_id, t.qualified_name, t.column_name FROM tables t
         UNION ALL
        SELECT t.relation_id, t.qualified_name, t.column_name FROM steward_internal.tenant_roots(ARRAY(SELECT x FROM steward_internal.tenant_tables(ARRAY[column_name], ARRAY[schema]) x), ARRAY[schema]) t
    ), keys AS MATERIALIZED (
        SELECT c.* FROM pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0 AND c.connamespace = schema
    ), below AS (
        SELECT t.relation_id AS oid, 0 AS depth FROM tables t
         UNION
        SELECT k.conrelid, b.depth + 1 FROM below b JOIN keys k ON k.confrelid = b.oid WHERE k.conrelid <> k.confrelid AND b.depth < 16
    ), children AS MATERIALIZED (
        -- also those that are half done
        SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS qualified_name, p.parent_id, max(b.depth) AS depth, k.conname, a.attname AS key_column
          FROM below b
          JOIN pg_class c ON c.oid = b.oid AND c.relnamespace = schema AND NOT c.relispartition
          JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL (SELECT steward_internal.tenant_parent(c.oid::regclass, column_name)) p (parent_id)
         -- of several keys to it the first
         CROSS JOIN LATERAL (SELECT k.conname, k.conkey FROM keys k WHERE k.conrelid = c.oid AND k.confrelid = p.parent_id ORDER BY k.confdeltype = 'c' DESC, k.conname LIMIT 1) k
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[cardinality(k.conkey)]
         WHERE b.depth > 0 AND steward_internal.tenant_is_child(c.oid::regclass, column_name)
         GROUP BY c.oid, n.nspname, c.relname, p.parent_id, k.conname, a.attname
    ), namesakes AS MATERIALIZED (
        -- without foreign key, but with a column that is named like one
        SELECT DISTINCT ON (s.relation_id) format('%I.%I', n.nspname, c.relname) AS qualified_name, s.parent_name,
               steward_internal.tenant_key_command(s.relation_id, s.parent_id) AS command
          FROM steward_internal.tenant_strangers(ARRAY(SELECT x FROM steward_internal.tenant_tables(ARRAY[column_name], ARRAY[schema]) x), ARRAY[schema]) s
          JOIN pg_class c ON c.oid = s.relation_id
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE s.link = 'name' AND c.oid NOT IN (SELECT h.oid FROM children h) AND steward_internal.tenant_key_command(s.relation_id, s.parent_id) IS NOT NULL
           AND s.parent_id IN (SELECT t.relation_id FROM tables t UNION SELECT h.oid FROM children h)
         ORDER BY s.relation_id, s.parent_name COLLATE "C"
    ), given AS (
        SELECT CASE WHEN roles IS NOT NULL THEN format(', roles => %L', roles::text) ELSE '' END AS clause
    ), commands AS (
        SELECT 1 AS part, 0 AS depth, t.qualified_name, format('SELECT steward.tenant_protect(%L, %L%s)', t.qualified_name, t.column_name, g.clause) AS command
          FROM with_roots t CROSS JOIN given g
         WHERE t.relation_id NOT IN (SELECT c.oid FROM children c)
           -- more is to be read there, as asked for
           AND NOT EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = t.relation_id AND y.polname IN ('steward_shared', 'steward_tree'))
           AND EXISTS (SELECT FROM steward.tenant_protect(t.relation_id::regclass, t.column_name, roles, dry_run => true))
         UNION ALL
        SELECT 2, 0, k.qualified_name, format('SELECT steward.tenant_fk_guard(%L, %L, %L)', k.qualified_name, k.constraint_name, ARRAY[column_name]::text)
          FROM steward_internal.tenant_foreign_keys(ARRAY[column_name], ARRAY[schema]) k
         WHERE k.definition IS NOT NULL AND k.relation_id NOT IN (SELECT c.oid FROM children c) AND k.referenced_id NOT IN (SELECT c.oid FROM children c)
         UNION ALL
        SELECT 3, c.depth, c.qualified_name,
               format('CALL steward.tenant_protect_child(%L, parent => %L%s%s%s)', c.qualified_name, format('%I.%I', n.nspname, p.relname),
                      CASE WHEN column_name <> 'tenant_id' THEN format(', column_name => %L', column_name) END,
                      CASE WHEN (SELECT count(*) FROM keys k WHERE k.conrelid = c.oid AND k.confrelid = c.parent_id) > 1 THEN format(', key_column => %L', c.key_column) END, g.clause)
          FROM children c
          JOIN pg_class p ON p.oid = c.parent_id
          JOIN pg_namespace n ON n.oid = p.relnamespace
         CROSS JOIN given g
         WHERE NOT EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = c.oid AND y.polname = 'steward_tenant_floor')
            OR EXISTS (SELECT FROM steward_internal.tenant_child_commands(c.oid::regclass, c.parent_id, column_name, c.key_column, roles))
         UNION ALL
        SELECT 3, 100, s.qualified_name, c.command
          FROM namesakes s
         CROSS JOIN given g
         CROSS JOIN LATERAL (VALUES (s.command), (format('CALL steward.tenant_protect_child(%L, parent => %L%s%s)', s.qualified_name, s.parent_name,
                                                         CASE WHEN column_name <> 'tenant_id' THEN format(', column_name => %L', column_name) END, g.clause))) c (command)
         UNION ALL
        -- what children refer to besides
        SELECT 4, 0, format('%I.%I', n.nspname, r.relname), format('SELECT steward.tenant_fk_guard(%L, %L, %L)', format('%I.%I', n.nspname, r.relname), k.conname, ARRAY[column_name]::text)
          FROM keys k
          JOIN pg_class r ON r.oid = k.conrelid
          JOIN pg_namespace n ON n.oid = r.relnamespace
         WHERE (k.conrelid IN (SELECT c.oid FROM children c) OR k.confrelid IN (SELECT c.oid FROM children c))
           AND k.conrelid IN (SELECT t.relation_id FROM tables t UNION SELECT c.oid FROM children c)
           AND k.confrelid IN (SELECT t.relation_id FROM tables t UNION SELECT c.oid FROM children c)
           AND NOT EXISTS (SELECT FROM children c WHERE c.oid = k.conrelid AND c.conname = k.conname)
           AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname = column_name)
           AND k.confupdtype NOT IN ('n', 'd') AND (k.confmatchtype <> 'f' OR cardinality(k.conkey) = 1)
    )
    SELECT row_number() OVER (ORDER BY c.part, c.depth, c.qualified_name COLLATE "C", c.command COLLATE "C")::integer, c.qualified_name, c.command
      FROM commands c
     ORDER BY 1;
END;
COMMENT ON FUNCTION steward_internal.tenant_adoption(regnamespace, name[], name) IS
'Returns the commands that are left to do for all tables of a schema that hold rows of tenants.';

CREATE FUNCTION steward.tenant_adopt(schema regnamespace, roles name[] DEFAULT NULL, dry_run boolean DEFAULT false, column_name name DEFAULT 'tenant_id',
    OUT step integer, OUT table_name text, OUT command text) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
DECLARE
    plan record;
BEGIN
    IF num_nulls(schema, dry_run, column_name) > 0 THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments of steward.tenant_adopt() but "roles" must not be null';
    ELSIF NOT EXISTS (SELECT FROM steward_internal.tenant_tables(ARRAY[column_name], ARRAY[schema])) THEN
        RAISE undefined_column USING
            MESSAGE = format('no table of schema %s has a column named "%s"', schema, column_name),
            HINT = coalesce((SELECT format('SELECT * FROM steward.tenant_adopt(%L, column_name => %L, dry_run => true);', schema, c.column_name)
                               FROM steward_internal.tenant_column_candidates(ARRAY[column_name], ARRAY[schema]) c
                              ORDER BY c.for_users, cardinality(c.tables) DESC, c.column_name LIMIT 1),
                            'Name the column of the tenant as column_name => ''...''.');
    END IF;
    IF roles IS NOT NULL THEN
        PERFORM steward_internal.check_roles(roles);
    END IF;
    FOR plan IN SELECT * FROM steward_internal.tenant_adoption(schema, roles, column_name) LOOP
        IF NOT dry_run THEN
            EXECUTE plan.command;
        END IF;
        step := plan.step;
        table_name := plan.table_name;
        command := plan.command || ';';
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.tenant_adopt(regnamespace, name[], boolean, name) IS
'Protects all tables of a schema that hold rows of tenants, those that have the column and those that refer to them; returns the commands, each of which may be run by itself.';
