-- search: the words of each row, for full-text search.

CREATE FUNCTION steward.search_vector_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_search_vector_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.search_vector_trigger() IS
'Keeps a search vector. Arguments: its column, the sources as column[#>{path}][:weight], config=, config_column=, long_texts=.';

CREATE FUNCTION steward_internal.search_config_name(config regconfig) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE n.nspname WHEN 'pg_catalog' THEN quote_ident(c.cfgname) ELSE format('%I.%I', n.nspname, c.cfgname) END
      FROM pg_ts_config c
      JOIN pg_namespace n ON n.oid = c.cfgnamespace
     WHERE c.oid = config;
END;
COMMENT ON FUNCTION steward_internal.search_config_name(regconfig) IS
'Returns the name of a text search configuration as the search_vector trigger takes it.';

-- Rows are filled in that have no vector yet; a trigger that says refill=yes took the place of another, so that all
-- rows are to be filled in. It says so until that is done.
CREATE FUNCTION steward_internal.search_attach(relation regclass, arguments text[], vector_column name, refill boolean, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    SELECT steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_attach(
        relation, 'search_vector_trigger', steward_internal.upkeep_trigger_name(vector_column), 'BEFORE INSERT OR UPDATE', 'ROW',
        arguments || CASE WHEN refill THEN ARRAY['refill=yes'] ELSE '{}' END, vector_column)), dry_run);
END;
COMMENT ON FUNCTION steward_internal.search_attach(regclass, text[], name, boolean, boolean) IS
'Attaches the search_vector trigger to a table and its inheritance children; returns the commands it ran, or would run with dry_run.';

CREATE FUNCTION steward_internal.search_prepare(relation regclass, sources text[], config regconfig, vector_column name, config_column name, long_texts text, dry_run boolean,
    OUT arguments text[], OUT refill boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    command text;
    wanted constant text[] := array_remove(quote_ident(vector_column) || sources || ('config=' || steward_internal.search_config_name(config))
                                           || ('config_column=' || quote_ident(config_column)) || nullif('long_texts=' || long_texts, 'long_texts=refuse'), NULL);
BEGIN
    IF num_nulls(relation, sources, config, vector_column, long_texts, dry_run) > 0 OR array_position(sources, NULL) IS NOT NULL THEN
        RAISE null_value_not_allowed USING
            MESSAGE = 'arguments of steward.search_enable() but "config_column" must not be null';
    END IF;
    PERFORM steward_internal.check_owners(relation);
    IF EXISTS (SELECT FROM unnest(sources) s WHERE s ~ '^[a-z_]+=') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'sources must not contain options of the trigger',
            HINT = 'Pass the configuration as config => ... and config_column => ....';
    END IF;
    IF current_setting('session_replication_role') = 'replica' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = 'cannot fill in search vectors while session_replication_role is replica',
            DETAIL = 'Triggers do not fire.',
            HINT = 'RESET session_replication_role;';
    END IF;
    -- vectors that are there already may be somebody else's
    refill := EXISTS (
        SELECT FROM steward_internal.table_members(relation) m
          JOIN pg_attribute a ON a.attrelid = m.member AND a.attname = vector_column AND NOT a.attisdropped
         WHERE NOT EXISTS (SELECT FROM steward_internal.upkeep_existing(m.member, 'search_vector_trigger', 'ROW', vector_column) t
                            WHERE t.arguments = wanted));
    -- those who write a related table have it locked before they come to this one
    FOR command IN SELECT steward_internal.run_commands(ARRAY(SELECT steward_internal.search_related_commands(relation, vector_column, wanted)), dry_run) LOOP
        RAISE NOTICE '%', command;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = relation AND a.attname = vector_column AND NOT a.attisdropped) THEN
        FOR command IN SELECT steward_internal.run_commands(ARRAY[format('ALTER TABLE %s ADD COLUMN %I tsvector', relation, vector_column)], dry_run) LOOP
            RAISE NOTICE '%', command;
        END LOOP;
    END IF;

    arguments := wanted;
    FOR command IN SELECT steward_internal.search_attach(relation, arguments, vector_column, refill, dry_run) LOOP
        RAISE NOTICE '%', command;
    END LOOP;
    IF NOT dry_run THEN
        PERFORM steward_internal.upkeep_check(relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.search_prepare(regclass, text[], regconfig, name, name, text, boolean) IS
'Does the first step of search_enable(), or with dry_run says what it is: the column and the trigger.';

CREATE FUNCTION steward_internal.search_index_commands(relation regclass, vector_column name, concurrently boolean) RETURNS SETOF text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH members AS (
        SELECT m.*, c.relkind,
               (SELECT min(i.indexrelid)
                  FROM pg_index i
                  JOIN pg_class x ON x.oid = i.indexrelid
                  JOIN pg_am am ON am.oid = x.relam AND am.amname = 'gin'
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = vector_column
                 WHERE i.indrelid = m.member AND i.indnatts = 1 AND i.indpred IS NULL AND i.indisvalid) AS valid_index
          FROM steward_internal.table_members(relation) m
          JOIN pg_class c ON c.oid = m.member
    )
    SELECT c.command
      FROM members m
     CROSS JOIN LATERAL (
           -- what a concurrent build left behind when it failed; none is at work, as the caller has locked the table
           SELECT 0 AS place, format('DROP INDEX %s%s', CASE WHEN search_index_commands.concurrently THEN 'CONCURRENTLY ' END, i.indexrelid::regclass) AS command
             FROM pg_index i
             JOIN pg_class x ON x.oid = i.indexrelid
             JOIN pg_am am ON am.oid = x.relam AND am.amname = 'gin'
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = vector_column
            WHERE i.indrelid = m.member AND i.indnatts = 1 AND i.indpred IS NULL AND NOT i.indisvalid AND m.relkind = 'r'
            UNION ALL
           SELECT 1, format('CREATE INDEX %sON %s USING gin (%I)', CASE WHEN search_index_commands.concurrently AND m.relkind = 'r' THEN 'CONCURRENTLY ' END,
                            m.qualified_name, vector_column)
            WHERE m.valid_index IS NULL
              -- an index on a partitioned table makes those of its partitions, or takes them in
              AND (m.relkind = 'p' AND NOT m.is_partition OR m.relkind = 'r' AND (search_index_commands.concurrently OR NOT m.is_partition OR m.member = relation)
                   OR m.member = relation AND m.relkind = 'p')) c
     ORDER BY m.depth DESC, m.qualified_name COLLATE "C", c.place;
END;
COMMENT ON FUNCTION steward_internal.search_index_commands(regclass, name, boolean) IS
'Returns the last step of search_enable(): the commands that create missing indexes.';

CREATE PROCEDURE steward.search_enable(
    relation      regclass,
    sources       text[],
    config        regconfig DEFAULT get_current_ts_config(),
    vector_column name      DEFAULT 'search_vector',
    config_column name      DEFAULT NULL,
    concurrently  boolean   DEFAULT false,
    batch_rows    integer   DEFAULT 1000,
    long_texts    text      DEFAULT 'cut',
    dry_run       boolean   DEFAULT false)
AS 'MODULE_PATHNAME', 'steward_search_enable' LANGUAGE C;
COMMENT ON PROCEDURE steward.search_enable(regclass, text[], regconfig, name, name, boolean, integer, text, boolean) IS
'Makes a table searchable: column, trigger, vectors of the rows that are there, GIN index. Texts that are too long for a vector are cut, or with long_texts refuse an error. Outside a transaction block it commits after each batch of rows, and goes on where it was stopped when called again. With dry_run it only says which commands it would run.';

CREATE FUNCTION steward.search_disable(relation regclass, vector_column name DEFAULT 'search_vector', keep_column boolean DEFAULT false,
    dry_run boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    related constant text[] := ARRAY(SELECT steward_internal.search_related_commands(relation, vector_column, '{}'));
    commands text[] := ARRAY(SELECT steward_internal.upkeep_detach(relation, 'search_vector_trigger', vector_column));
BEGIN
    -- without our trigger it is not our column either
    IF commands <> '{}' AND NOT keep_column THEN
        commands := commands || format('ALTER TABLE %s DROP COLUMN %I', relation, vector_column);
    END IF;
    RETURN QUERY SELECT * FROM steward_internal.run_commands(related || commands, dry_run);
END $$;
COMMENT ON FUNCTION steward.search_disable(regclass, name, boolean, boolean) IS
'Drops the search_vector trigger of a table, its vectors and with them their index; returns the commands it ran, or would run with dry_run.';
