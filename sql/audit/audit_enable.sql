-- audit_enable: which tables are audited, and how.

-- The bits of tgtype: 1 for each row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate, 64 instead of.
CREATE VIEW steward_internal.audit_triggers AS
SELECT t.tgrelid AS relation_id, t.tgname AS trigger_name,
       CASE WHEN (t.tgtype & 67) = 1 THEN 'row'
            WHEN (t.tgtype & 127) = 32 THEN 'truncate'
            ELSE 'wrong' END AS kind,
       (t.tgtype & 28) = 28 AND t.tgqual IS NULL AND t.tgattr = '' AS every_change,
       t.tgenabled AS enabled, t.tgparentid <> 0 AS is_clone, t.tgargs AS arguments
  FROM pg_trigger t
 WHERE t.tgfoid = 'steward.audit_trigger'::regproc;
COMMENT ON VIEW steward_internal.audit_triggers IS
'The audit triggers of this database: row and truncate triggers, and those attached so that they cannot work.';
GRANT SELECT ON steward_internal.audit_triggers TO PUBLIC;

CREATE FUNCTION steward_internal.audit_check_root(relation regclass, hint text) RETURNS void
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    root constant regclass := (
        SELECT a.relid
          FROM pg_partition_ancestors(relation) a
          JOIN steward_internal.audit_triggers t ON t.relation_id = a.relid AND t.kind = 'row' AND NOT t.is_clone
         WHERE a.relid <> relation
         LIMIT 1);
BEGIN
    IF root IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('partition %s is audited with its partitioned table %s', relation, root),
            HINT = format(hint, root);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.audit_check_root(regclass, text) IS
'Raises 55000 if a partition has its audit trigger from a partitioned table above it.';

CREATE FUNCTION steward.audit_enable(
    relation regclass,
    exclude  name[]  DEFAULT '{}',
    include  name[]  DEFAULT '{}',
    redact   name[]  DEFAULT '{}',
    capture  text    DEFAULT 'changes',
    always   boolean DEFAULT true,
    dry_run  boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    arguments constant text[] := ARRAY(
        SELECT o.option || '=' || o.value
          FROM (VALUES (1, 'exclude', steward_internal.name_list(exclude)),
                       (2, 'include', steward_internal.name_list(include)),
                       (3, 'redact',  steward_internal.name_list(redact)),
                       (4, 'capture', nullif(capture, 'changes'))) AS o(place, option, value)
         WHERE o.value IS NOT NULL
         ORDER BY o.place);
    argument_list constant text := (SELECT string_agg(quote_literal(a), ', ') FROM unnest(arguments) a);
    -- as pg_trigger keeps them: each with a zero byte behind it
    stored constant bytea := coalesce(
        (SELECT string_agg(convert_to(a.argument, getdatabaseencoding()) || '\x00'::bytea, ''::bytea ORDER BY a.place)
           FROM unnest(arguments) WITH ORDINALITY a(argument, place)), '');
    state constant "char" := CASE WHEN always THEN 'A' ELSE 'O' END;
    enable constant text := CASE WHEN always THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END;
BEGIN
    IF num_nulls(relation, exclude, include, redact, capture, always, dry_run) > 0
       OR array_position(exclude || include || redact, NULL) IS NOT NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments of steward.audit_enable() must not be null';
    END IF;
    PERFORM steward_internal.check_owner(m.member), steward_internal.audit_identity(m.member) FROM steward_internal.table_members(relation) m;
    PERFORM steward_internal.audit_check_root(relation, 'SELECT steward.audit_enable(%L);');

    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(
        WITH triggers AS MATERIALIZED (
            SELECT m.*, t.trigger_name, t.kind, t.enabled,
                   -- what stands in the way: other arguments, and what a partition has of its own
                   NOT t.is_clone AND (t.kind = 'wrong' OR t.kind = 'row' AND (m.is_partition OR t.arguments <> stored OR NOT t.every_change)) AS goes
              FROM steward_internal.table_members(relation) m
              JOIN steward_internal.audit_triggers t ON t.relation_id = m.member
        ), kept AS (
            SELECT DISTINCT ON (t.member, t.kind) t.* FROM triggers t WHERE NOT t.goes ORDER BY t.member, t.kind, t.trigger_name
        )
        SELECT c.command
          FROM (SELECT 0 AS place, t.depth, t.qualified_name, t.trigger_name::text AS detail, true AS needed,
                       format('DROP TRIGGER %I ON %s', t.trigger_name, t.qualified_name) AS command
                  FROM triggers t
                 WHERE t.goes
                 UNION ALL
                SELECT 1, m.depth, m.qualified_name, c.step::text, c.needed, c.command
                  FROM steward_internal.table_members(relation) m
                  LEFT JOIN kept r ON r.member = m.member AND r.kind = 'row'
                  LEFT JOIN kept t ON t.member = m.member AND t.kind = 'truncate'
                 CROSS JOIN LATERAL (VALUES
                       -- partitions get clones of the row trigger
                       (1, NOT m.is_partition AND r.trigger_name IS NULL,
                        format('CREATE TRIGGER steward_audit AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger(%s)',
                               m.qualified_name, argument_list)),
                       -- the root's state reaches its partitions, so that only theirs is left to mend
                       (2, coalesce(r.enabled, 'O') <> state
                           AND (NOT m.is_partition OR (SELECT bool_and(k.enabled = state) FROM triggers k
                                                        WHERE k.member = audit_enable.relation AND k.kind = 'row' AND NOT k.goes)),
                        format('ALTER TABLE %s %s TRIGGER %I', m.qualified_name, enable, coalesce(r.trigger_name, 'steward_audit'))),
                       (3, t.trigger_name IS NULL,
                        format('CREATE TRIGGER steward_audit_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION steward.audit_trigger()',
                               m.qualified_name)),
                       (4, coalesce(t.enabled, 'O') <> state,
                        format('ALTER TABLE ONLY %s %s TRIGGER %I', m.qualified_name, enable, coalesce(t.trigger_name, 'steward_audit_truncate')))
                       ) AS c(step, needed, command)) c
         WHERE c.needed
         ORDER BY c.place, c.depth, c.qualified_name COLLATE "C", c.detail COLLATE "C"), dry_run);

    -- reads the trigger's arguments as it will when it fires
    IF NOT dry_run THEN
        PERFORM steward_internal.audit_check(relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward.audit_enable(regclass, name[], name[], name[], text, boolean, boolean) IS
'Attaches the audit triggers to a table, its partitions and its inheritance children; returns the commands it ran, or would run with dry_run.';

CREATE FUNCTION steward.audit_disable(relation regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.check_owner(m.member) FROM steward_internal.table_members(relation) m;
    PERFORM steward_internal.audit_check_root(relation, 'SELECT steward.audit_disable(%L);');
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(
        SELECT format('DROP TRIGGER %I ON %s', t.trigger_name, m.qualified_name)
          FROM steward_internal.table_members(relation) m
          JOIN steward_internal.audit_triggers t ON t.relation_id = m.member AND NOT t.is_clone
         ORDER BY m.depth, m.qualified_name COLLATE "C", t.trigger_name), dry_run);
END $$;
COMMENT ON FUNCTION steward.audit_disable(regclass, boolean) IS
'Drops the audit triggers of a table, its partitions and its inheritance children; returns the commands it ran, or would run with dry_run. The log stays.';

CREATE FUNCTION steward.audit_enable_schema(
    schema  regnamespace,
    capture text    DEFAULT 'changes',
    always  boolean DEFAULT true,
    dry_run boolean DEFAULT false)
RETURNS TABLE (relation regclass, result text)
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    FOR relation IN
        SELECT c.oid::regclass
          FROM pg_class c
         WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
           AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
         ORDER BY c.relname
    LOOP
        BEGIN
            -- a table that is audited already keeps its options
            IF EXISTS (SELECT FROM steward_internal.audit_triggers t WHERE t.relation_id = relation AND t.kind = 'row') THEN
                result := 'audited already';
            ELSE
                PERFORM steward.audit_enable(relation, capture => capture, always => always, dry_run => dry_run);
                result := CASE WHEN dry_run THEN 'not audited yet' ELSE 'audited now' END;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            result := 'not audited: ' || SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.audit_enable_schema(regnamespace, text, boolean, boolean) IS
'Attaches the audit triggers to every table of a schema that has none; returns what came of it, or with dry_run would come, table by table.';

CREATE FUNCTION steward_internal.audit_enable_command(relation text, arguments bytea, without text[] DEFAULT '{}', also text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('SELECT steward.audit_enable(%L%s);', relation,
                  (SELECT string_agg(format(', %s => %L', o.option, CASE o.option WHEN 'capture' THEN v.value[1] ELSE v.value::text END), '' ORDER BY o.place)
                     FROM unnest(steward_internal.audit_column_options() || 'capture'::text) WITH ORDINALITY AS o(option, place)
                    CROSS JOIN LATERAL (SELECT steward_internal.audit_option_values(arguments, o.option)) AS named(found)
                    CROSS JOIN LATERAL (
                          SELECT CASE o.option
                                     WHEN 'include' THEN ARRAY(SELECT f FROM unnest(named.found) f WHERE f <> ALL (without)) || also
                                     -- what is to be redacted must not come in clear text under another name
                                     WHEN 'capture' THEN CASE WHEN steward_internal.audit_option_values(arguments, 'redact') && without THEN '{key}' ELSE named.found END
                                     ELSE ARRAY(SELECT f FROM unnest(named.found) f WHERE f <> ALL (without)) END) AS v(value)
                    WHERE v.value <> '{}'));
END;
COMMENT ON FUNCTION steward_internal.audit_enable_command(text, bytea, text[], text[]) IS
'Returns the call of audit_enable() that attaches an audit trigger anew with the options it has, without some columns, or also with some.';
