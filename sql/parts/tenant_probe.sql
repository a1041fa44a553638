-- tenant_probe: tries to get at another tenant's rows.

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
