-- tenant_probe: tries to get at another tenant's rows.

-- Policies would hide what is counted; row_security = off makes that an error.
CREATE FUNCTION steward_internal.tenant_probe_rows(qualified_name text, column_name name, a text, b text,
    OUT own bigint, OUT others bigint, OUT print bigint, OUT sample jsonb) RETURNS record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
BEGIN
    EXECUTE format('SELECT count(*) FILTER (WHERE r.%2$I = %3$L), count(*) FILTER (WHERE r.%2$I = %4$L), '
                   'coalesce(bit_xor(hashtextextended(r.tableoid::text || r.ctid::text, 0)) FILTER (WHERE r.%2$I = %4$L), 0), '
                   '(SELECT to_jsonb(o) FROM %1$s o WHERE o.%2$I = %4$L LIMIT 1) FROM %1$s r WHERE r.%2$I IN (%3$L, %4$L)',
                   qualified_name, column_name, a, b) INTO own, others, print, sample;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_probe_rows(text, name, text, text) IS
'Returns how many rows two tenants have; of the other''s also one of them, and a number that is another one when any is changed.';

CREATE FUNCTION steward_internal.tenant_probe_seen(qualified_name text, column_name name, tenant text, role name, context text,
    OUT rows bigint, OUT sample jsonb) RETURNS record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format(context, tenant);
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE format('SELECT count(*), (SELECT to_jsonb(o) FROM %1$s o WHERE o.%2$I = %3$L LIMIT 1) FROM %1$s r WHERE r.%2$I = %3$L',
                   qualified_name, column_name, tenant) INTO rows, sample;
    RAISE SQLSTATE 'STWRD';
EXCEPTION WHEN SQLSTATE 'STWRD' THEN NULL;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_probe_seen(text, name, text, name, text) IS
'Returns how many of its rows a tenant sees, and one of them.';

CREATE FUNCTION steward_internal.tenant_probe_table(t steward_internal.tenant_table, a text, b text, role name, context text,
    OUT attempt text, OUT result text, OUT detail text) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    caller constant name := current_user;
    x record;
    own bigint := 0;
    others bigint := 0;
    print bigint;
    print_after bigint;
    sample jsonb;
    rows bigint;
    sees_all boolean := true;
    ready boolean;
    at_fault text;
    columns text;
BEGIN
    BEGIN
        SELECT r.own, r.others, r.print, r.sample INTO own, others, print, sample FROM steward_internal.tenant_probe_rows(t.qualified_name, t.column_name, a, b) r;
    EXCEPTION
        WHEN insufficient_privilege THEN
            -- who may not see all rows asks each tenant
            sees_all := false;
            SELECT o.rows, r.rows, r.sample INTO own, others, sample
              FROM steward_internal.tenant_probe_seen(t.qualified_name, t.column_name, a, role, context) o,
                   steward_internal.tenant_probe_seen(t.qualified_name, t.column_name, b, role, context) r;
        WHEN invalid_text_representation OR numeric_value_out_of_range THEN
            detail := SQLERRM;
    END;
    -- what the role may not give itself gets a default
    SELECT string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum) INTO columns
      FROM pg_attribute c
     WHERE c.attrelid = t.relation_id AND c.attnum > 0 AND NOT c.attisdropped AND c.attgenerated = ''
       AND (c.attnum = t.column_number OR has_column_privilege(role, c.attrelid, c.attnum, 'INSERT'));
    FOR x IN
        -- conflict: the errors of keys that show that policies let a row pass.  What has no WHERE is not held back by
        -- policies for SELECT; of such commands only rows beyond the tenant's own count.
        SELECT * FROM (VALUES
            ('SELECT without tenant', false, false, '', 'SELECT FROM %1$s WHERE %2$I IN (%3$L, %4$L)'),
            ('SELECT', true, false, '', 'SELECT FROM %1$s WHERE %2$I = %4$L'),
            ('INSERT', true, false, '23...', 'INSERT INTO %1$s (%5$s) OVERRIDING SYSTEM VALUE SELECT %5$s FROM jsonb_populate_record(NULL::%1$s, %6$L)'),
            ('UPDATE', true, false, '23...', 'UPDATE %1$s SET %2$I = %2$I WHERE %2$I = %4$L'),
            ('UPDATE of every row', true, true, '2350[35]', 'UPDATE %1$s SET %2$I = %3$L'),
            ('UPDATE to another tenant', true, false, '23...', 'UPDATE %1$s SET %2$I = %4$L'),
            ('DELETE', true, false, '23...', 'DELETE FROM %1$s WHERE %2$I = %4$L'),
            ('DELETE of every row', true, true, '-', 'DELETE FROM %1$s')) AS v (attempt, set_context, owns, conflict, command)
    LOOP
        attempt := x.attempt;
        result := NULL;
        ready := false;
        IF (CASE attempt WHEN 'UPDATE to another tenant' THEN own ELSE others END) = 0 THEN
            result := 'no rows';
            RETURN NEXT;
            CONTINUE;
        END IF;
        detail := NULL;
        BEGIN
            SET LOCAL row_security = on;
            IF x.set_context THEN
                EXECUTE format(context, a);
            END IF;
            EXECUTE format('SET LOCAL ROLE %I', role);
            ready := true;
            EXECUTE format(x.command, t.qualified_name, t.column_name, a, b, columns, sample);
            GET DIAGNOSTICS rows = ROW_COUNT;
            rows := rows - CASE WHEN x.owns THEN own ELSE 0 END;
            IF sees_all AND attempt NOT LIKE 'SELECT%' THEN
                -- a trigger may have given the row to another, or done something else in place of the command
                EXECUTE format('SET LOCAL ROLE %I', caller);
                SELECT r.print INTO print_after FROM steward_internal.tenant_probe_rows(t.qualified_name, t.column_name, a, b) r;
                rows := CASE WHEN print_after = print AND attempt IN ('INSERT', 'UPDATE to another tenant') THEN 0
                             WHEN print_after <> print THEN greatest(rows, 1) ELSE rows END;
            END IF;
            IF attempt = 'INSERT' AND rows > 0 AND NOT sees_all THEN
                EXECUTE format('SELECT %3$s - count(*) FROM %1$s WHERE %2$I = %4$L', t.qualified_name, t.column_name, rows + own, a) INTO rows;
            END IF;
            result := CASE WHEN rows > 0 THEN 'LEAKED' ELSE 'blocked' END;
            detail := CASE WHEN rows > 0 THEN format('%s row(s)', rows) END;
            RAISE SQLSTATE 'STWRD';
        EXCEPTION
            WHEN SQLSTATE 'STWRD' THEN NULL;
            WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS at_fault = CONSTRAINT_NAME;
                -- no attempt was made
                IF NOT ready THEN
                    RAISE;
                END IF;
                -- what triggers raise, and that a partition is for other rows, names no constraint
                result := CASE WHEN SQLSTATE = '42501' THEN 'blocked'
                               WHEN SQLSTATE ~ x.conflict AND (at_fault <> '' OR SQLSTATE = '23502') THEN 'LEAKED'
                               ELSE 'error' END;
                detail := SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_probe_table(steward_internal.tenant_table, text, text, name, text) IS
'Returns what tenant_probe() tries on one table.';

CREATE FUNCTION steward.tenant_probe(a text, b text, role name, context text DEFAULT 'SELECT steward.tenant_set(%L)', tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL,
    OUT table_name text, OUT attempt text, OUT result text, OUT detail text) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    t steward_internal.tenant_table;
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
        SELECT m.* FROM steward_internal.tenant_tables(tenant_columns, schemas) m
         WHERE m.kind <> 'f'
           AND (has_any_column_privilege(role, m.relation_id, 'SELECT, INSERT, UPDATE') OR has_table_privilege(role, m.relation_id, 'DELETE'))
         ORDER BY m.qualified_name COLLATE "C"
    LOOP
        RETURN QUERY SELECT t.qualified_name, p.* FROM steward_internal.tenant_probe_table(t, a, b, role, context) p;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.tenant_probe(text, text, name, text, name[], regnamespace[]) IS
'Tries as a role, with tenant a set, to read and write rows of tenant b; every attempt is rolled back.';
