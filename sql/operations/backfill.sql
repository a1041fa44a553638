-- backfill: an UPDATE of a whole table, in batches.

-- How batches of a table's rows are made.
CREATE TYPE steward_internal.batch_key AS (
    relation      regclass,
    -- as FROM and UPDATE name it: with its partitions, in which keys are unique, but without children that inherit
    table_name    text,
    columns       name[],
    names         text,
    types         text[],
    operator_name text,
    path          text
);

CREATE FUNCTION steward_internal.batch_key(relation regclass, path text) RETURNS steward_internal.batch_key
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    k steward_internal.batch_key;
    key_index oid;
    -- of types that others brought
    schemas text;
BEGIN
    SELECT i.indexrelid INTO key_index
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid
      JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
     WHERE i.indrelid = batch_key.relation AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
       AND NOT EXISTS (SELECT FROM unnest((i.indkey::smallint[])[0:i.indnkeyatts - 1]) x JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = x WHERE NOT a.attnotnull)
       AND NOT EXISTS (SELECT FROM unnest((i.indclass::oid[])[0:i.indnkeyatts - 1]) x JOIN pg_opclass p ON p.oid = x WHERE NOT p.opcdefault)
     ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1;
    IF key_index IS NULL THEN
        RAISE undefined_object USING
            MESSAGE = format('table %s has no key to go by', relation),
            DETAIL = 'Batches go by the primary key, or by unique columns that are not null.',
            HINT = format('ALTER TABLE %s ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;', relation);
    END IF;
    k.relation := relation;
    SELECT format('%s%I.%I', CASE WHEN c.relkind <> 'p' THEN 'ONLY ' END, n.nspname, c.relname) INTO k.table_name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = batch_key.relation;
    SELECT array_agg(a.attname ORDER BY x.attnum), string_agg(quote_ident(a.attname), ', ' ORDER BY x.attnum),
           array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY x.attnum),
           CASE WHEN bool_and(n.nspname = 'pg_catalog') THEN 'OPERATOR(pg_catalog.%s)' ELSE '%s' END,
           string_agg(DISTINCT quote_ident(n.nspname), ', ') FILTER (WHERE n.nspname <> 'pg_catalog')
      INTO k.columns, k.names, k.types, k.operator_name, schemas
      FROM pg_attribute x
      JOIN pg_index i ON i.indexrelid = x.attrelid AND x.attnum <= i.indnkeyatts
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[x.attnum - 1]
      JOIN pg_opclass p ON p.oid = i.indclass[x.attnum - 1]
      JOIN pg_amop w ON w.amopfamily = p.opcfamily AND w.amoplefttype = p.opcintype AND w.amoprighttype = p.opcintype AND w.amopstrategy = 5
      JOIN pg_operator o ON o.oid = w.amopopr
      JOIN pg_namespace n ON n.oid = o.oprnamespace
     WHERE x.attrelid = key_index;
    k.path := concat_ws(', ', nullif(path, ''), schemas);
    RETURN k;
END $$;
COMMENT ON FUNCTION steward_internal.batch_key(regclass, text) IS
'Returns the unique columns by which batches of rows are made, and how they are compared; raises 42704 if there are none.';

CREATE FUNCTION steward_internal.batch_range(k steward_internal.batch_key, below jsonb, upto jsonb DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT coalesce(string_agg(format('ROW(%s) %s ROW(%s)', (k).names, format((k).operator_name, b.operator),
                                          (SELECT string_agg(format('%L::%s', v.value, (k).types[v.place]), ', ' ORDER BY v.place)
                                             FROM jsonb_array_elements_text(b.bound) WITH ORDINALITY v(value, place))), ' AND '), 'true')
          FROM (VALUES ('>', below), ('<=', upto)) b(operator, bound) WHERE b.bound IS NOT NULL);
COMMENT ON FUNCTION steward_internal.batch_range(steward_internal.batch_key, jsonb, jsonb) IS
'Returns the condition for the rows with keys above one and not above another.';

CREATE FUNCTION steward_internal.batch_members(relation regclass) RETURNS regclass[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT m.member FROM pg_class r JOIN steward_internal.table_members(relation) m ON m.member = relation OR r.relkind <> 'p' WHERE r.oid = relation ORDER BY m.member);
COMMENT ON FUNCTION steward_internal.batch_members(regclass) IS
'Returns the tables that batches go through one after the other: a table and what inherits from it, or a partitioned one.';

-- Keys become text here and are read elsewhere, under the settings of the caller: so in forms that all of them read alike.
CREATE FUNCTION steward_internal.batch_next(k steward_internal.batch_key, below jsonb, batch integer, condition text DEFAULT 'true',
    OUT upto jsonb, OUT row_count bigint) RETURNS record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'iso_8601' SET extra_float_digits = 3 SET bytea_output = hex
AS $$
DECLARE
    found constant text[] := steward_internal.run_in_path(k.relation, format(
        'SELECT pg_catalog.jsonb_build_array(%1$s), n FROM (SELECT %2$s, pg_catalog.row_number() OVER (ORDER BY %2$s) AS n FROM %3$s WHERE %4$s AND (%5$s) ORDER BY %2$s LIMIT %6$s) batch ORDER BY n DESC LIMIT 1',
        (SELECT string_agg(quote_ident(c) || '::text', ', ') FROM unnest(k.columns) c), k.names, k.table_name,
        steward_internal.batch_range(k, below), condition, batch), k.path);
BEGIN
    upto := found[1];
    row_count := coalesce(found[2]::bigint, 0);
END $$;
COMMENT ON FUNCTION steward_internal.batch_next(steward_internal.batch_key, jsonb, integer, text) IS
'Returns the last key of the next so many rows, and how many they are.';

CREATE FUNCTION steward_internal.backfill_command(k steward_internal.batch_key, assignments text, condition text, range text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format(E'WITH changed AS (UPDATE %1$s SET %2$s\n WHERE %3$s AND (%4$s\n) RETURNING (%4$s\n) AS still)'
              ' SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE still) FROM changed',
              (k).table_name, assignments, range, coalesce(condition, 'true'));
COMMENT ON FUNCTION steward_internal.backfill_command(steward_internal.batch_key, text, text, text) IS
'Returns the command that changes the rows of a range, and tells how many there were, and for how many of them the condition still holds.';

-- What is to be done after the rows: a check that stands for no row yet, the rows that came before it did, the rest.
CREATE FUNCTION steward_internal.backfill_constraints(relation regclass, columns name[], phase text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c record;
    command text;
BEGIN
    FOR c IN
        SELECT a.attname AS column_name, steward_internal.object_name('steward_not_null_', a.attname) AS name, k.oid IS NOT NULL AS exists
          FROM pg_attribute a LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.conname = steward_internal.object_name('steward_not_null_', a.attname)
         WHERE a.attrelid = relation AND a.attname = ANY (columns) AND NOT a.attnotnull
         ORDER BY a.attnum
    LOOP
        command := CASE phase WHEN 'constraint' THEN CASE WHEN NOT c.exists THEN format('ADD CONSTRAINT %I CHECK (%I IS NOT NULL) NOT VALID', c.name, c.column_name) END
                              WHEN 'validate' THEN format('VALIDATE CONSTRAINT %I', c.name)
                              ELSE format('ALTER COLUMN %I SET NOT NULL, DROP CONSTRAINT %I', c.column_name, c.name) END;
        IF command IS NOT NULL THEN
            PERFORM steward_internal.run_as_owner(relation, format('ALTER TABLE %s %s', relation, command));
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.backfill_constraints(regclass, name[], text) IS
'Makes columns NOT NULL in three transactions, none of which looks at rows under a lock that stops writers.';

CREATE FUNCTION steward_internal.backfill_rows_left(members regclass[], condition text, path text) RETURNS boolean
LANGUAGE sql SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM unnest(members) m
                WHERE steward_internal.run_in_path(m, format(E'SELECT 1 FROM %s WHERE (%s\n) LIMIT 1', (steward_internal.batch_key(m, path)).table_name, condition), path) IS NOT NULL);
COMMENT ON FUNCTION steward_internal.backfill_rows_left(regclass[], text, text) IS
'Tells whether any row meets a condition.';

CREATE FUNCTION steward_internal.backfill_step(operation_id bigint, path text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    o steward_internal.operations;
    assignments text;
    wanted text;
    columns name[];
    members regclass[];
    k steward_internal.batch_key;
    phase text;
    next record;
    done text[];
BEGIN
    SELECT * INTO o FROM steward_internal.operations p WHERE p.id = operation_id FOR UPDATE;
    assignments := o.arguments->>'set';
    columns := steward_internal.assigned_columns(assignments);
    phase := coalesce(o.position->>'phase', 'rows');
    members := steward_internal.batch_members(o.relation_id);
    wanted := coalesce(o.arguments->>'condition',
                       CASE WHEN phase <> 'rows' THEN (SELECT string_agg(quote_ident(c) || ' IS NULL', ' OR ') FROM unnest(columns) c) END);
    IF phase IN ('constraint', 'validate', 'not null') THEN
        PERFORM steward_internal.backfill_constraints(o.relation_id, columns, phase);
        PERFORM steward_internal.operation_advance(operation_id, jsonb_build_object('phase',
            CASE WHEN phase = 'validate' THEN 'not null' WHEN steward_internal.backfill_rows_left(members, wanted, path) THEN 'rest' ELSE 'validate' END), 0, 0);
        RETURN phase <> 'not null';
    END IF;

    k := steward_internal.batch_key(members[coalesce((o.position->>'member')::integer, 1)], path);
    SELECT * INTO next FROM steward_internal.batch_next(k, o.position->'key', o.batch);
    IF next.row_count > 0 THEN
        done := steward_internal.run_in_path(k.relation, steward_internal.backfill_command(k, assignments, wanted, steward_internal.batch_range(k, o.position->'key', next.upto)), k.path);
        PERFORM steward_internal.operation_advance(operation_id,
            o.position || jsonb_build_object('key', next.upto, 'changed', coalesce((o.position->>'changed')::bigint, 0) + done[1]::bigint,
                                             'still', coalesce((o.position->>'still')::boolean, false) OR done[2] <> '0'), next.row_count, done[1]::bigint);
        RETURN true;
    ELSIF k.relation <> members[cardinality(members)] THEN
        PERFORM steward_internal.operation_advance(operation_id, (o.position - 'key') || jsonb_build_object('member', coalesce((o.position->>'member')::integer, 1) + 1), 0, 0);
        RETURN true;
    ELSIF wanted IS NOT NULL AND NOT coalesce((o.position->>'still')::boolean, false)
          AND steward_internal.backfill_rows_left(members, wanted, path) THEN
        IF coalesce(o.position->>'changed', '0') = '0' THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('rows of %s meet the condition, but are not changed', o.relation),
                DETAIL = 'A trigger or a rule may keep them as they are.',
                HINT = format('SELECT * FROM %s WHERE %s;', o.relation, wanted);
        END IF;
        -- rows that came behind us
        PERFORM steward_internal.operation_advance(operation_id, jsonb_build_object('phase', phase), 0, 0);
        RETURN true;
    ELSIF (o.arguments->>'then_not_null')::boolean THEN
        PERFORM steward_internal.operation_advance(operation_id, jsonb_build_object('phase', CASE phase WHEN 'rows' THEN 'constraint' ELSE 'validate' END), 0, 0);
        RETURN true;
    END IF;
    RETURN false;
END $$;
COMMENT ON FUNCTION steward_internal.backfill_step(bigint, text) IS
'Changes the rows of the next batch, or does what comes after the last; returns whether anything is left.';

CREATE FUNCTION steward_internal.backfill_begin(relation regclass, assignments text, condition text, batch integer, then_not_null boolean, path text, dry_run boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    member regclass;
    k steward_internal.batch_key;
BEGIN
    PERFORM steward_internal.check_owners(relation);
    IF assignments IS NULL OR then_not_null IS NULL OR dry_run IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'set, then_not_null and dry_run must not be null';
    ELSIF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND c.relkind IN ('r', 'p')) THEN
        RAISE wrong_object_type USING MESSAGE = format('%s is not a table', relation);
    END IF;
    FOREACH member IN ARRAY steward_internal.batch_members(relation) LOOP
        k := steward_internal.batch_key(member, path);
        IF k.columns && steward_internal.assigned_columns(assignments) THEN
            RAISE feature_not_supported USING
                MESSAGE = format('column "%s" is of the key that batches of %s go by', (SELECT c FROM unnest(k.columns) c WHERE c = ANY (steward_internal.assigned_columns(assignments)) LIMIT 1), member),
                DETAIL = 'Rows whose keys change could be met twice, or not at all.';
        END IF;
        -- whatever is wrong with it is known before anything is done
        PERFORM steward_internal.run_in_path(member, 'EXPLAIN ' || steward_internal.backfill_command(k, assignments, condition, 'false'), k.path);
        IF dry_run THEN
            RAISE NOTICE USING MESSAGE = format('UPDATE %s SET %s%s;  -- %s row(s) at a time, by (%s)', k.table_name, assignments, ' WHERE ' || condition, batch, k.names);
        END IF;
    END LOOP;
    IF dry_run AND then_not_null THEN
        RAISE NOTICE USING MESSAGE = format('ALTER TABLE %s %s;', relation, (SELECT string_agg(format('ALTER COLUMN %I SET NOT NULL', c), ', ')
                                                                               FROM unnest(steward_internal.assigned_columns(assignments)) c));
    END IF;
    RETURN CASE WHEN NOT dry_run THEN steward_internal.operation_begin('backfill', relation,
        jsonb_strip_nulls(jsonb_build_object('set', assignments, 'condition', condition, 'then_not_null', then_not_null)), batch) END;
END $$;
COMMENT ON FUNCTION steward_internal.backfill_begin(regclass, text, text, integer, boolean, text, boolean) IS
'Returns the operation of a backfill, having seen that it can be done; null for a dry run, whose commands it tells.';

CREATE PROCEDURE steward.backfill(
    relation      regclass,
    set           text,
    condition     text     DEFAULT NULL,
    batch         integer  DEFAULT 1000,
    pause         interval DEFAULT NULL,
    then_not_null boolean  DEFAULT false,
    max_lag       interval DEFAULT '10 s',
    lock_timeout  interval DEFAULT '2 s',
    dry_run       boolean  DEFAULT false)
LANGUAGE plpgsql
AS $$
DECLARE
    operation_id pg_catalog.int8;
BEGIN
    PERFORM steward_internal.operation_check('steward.backfill', batch, pause, max_lag, lock_timeout);
    operation_id := steward_internal.backfill_begin(relation, set, condition, batch, then_not_null, pg_catalog.current_setting('search_path'), dry_run);
    IF operation_id IS NOT NULL THEN
        CALL steward_internal.operation_run(operation_id, pause, max_lag, lock_timeout);
    END IF;
END $$;
COMMENT ON PROCEDURE steward.backfill(regclass, text, text, integer, interval, boolean, interval, interval, boolean) IS
'Updates all rows of a table that meet a condition, in batches of a transaction each, and then lets the columns not be null if asked to; goes on where it was stopped when called again. See steward.operations.';
