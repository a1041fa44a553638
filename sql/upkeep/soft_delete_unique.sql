-- soft_delete: what is unique is so among live rows.

-- What holds for live rows is known by its comment, whatever name it has been given since.
CREATE FUNCTION steward_internal.soft_delete_unique(relation regclass, column_name name,
    OUT qualified_name text, OUT kind text, OUT name name, OUT is_narrow boolean, OUT stays text, OUT narrow text[], OUT widen text[])
RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT m.qualified_name, k.kind, c.relname, p.is_narrow,
           CASE WHEN NOT x.indisvalid THEN 'it is not valid'
                WHEN x.indisexclusion AND k.contype = 'u' THEN 'it is WITHOUT OVERLAPS'
                WHEN NOT x.indimmediate AND k.contype = 'u' THEN 'it is DEFERRABLE, which an index cannot be'
                WHEN x.indisclustered AND NOT x.indisexclusion THEN 'the table is clustered on it, and cannot be on a partial index'
                WHEN EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = ANY (p.parts) AND i.indisreplident) THEN 'it is the replica identity'
                WHEN p.has_column THEN format('it has column %I', column_name)
                ELSE (SELECT format('foreign key %I of %s references it', f.conname, f.conrelid::regclass)
                        FROM pg_constraint f
                       WHERE f.contype = 'f' AND f.conindid = ANY (p.parts)
                       ORDER BY f.conparentid, f.conrelid::regclass::text COLLATE "C", f.conname LIMIT 1) END,
           CASE k.kind WHEN 'exclusion constraint' THEN ARRAY[
                    format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I %s WHERE (%s)%s', m.qualified_name, c.relname, d.body, p.narrow, d.deferral),
                    format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.relname, m.qualified_name, p.comment || p.mark)]
                ELSE ARRAY[
                    CASE k.kind WHEN 'unique constraint' THEN format('ALTER TABLE %s DROP CONSTRAINT %I', m.qualified_name, c.relname)
                                ELSE format('DROP INDEX %s', d.index_name) END,
                    format('%s WHERE %s', d.body, p.narrow),
                    format('COMMENT ON INDEX %s IS %L', d.index_name, p.comment || p.mark)] END,
           CASE k.kind WHEN 'exclusion constraint' THEN ARRAY[
                    format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I %s%s%s', m.qualified_name, c.relname, d.body,
                           ' WHERE (' || p.wide || ')', d.deferral)]
                WHEN 'unique constraint' THEN ARRAY[
                    format('DROP INDEX %s', d.index_name),
                    format('ALTER TABLE %s ADD CONSTRAINT %I UNIQUE%s (%s)%s%s%s', m.qualified_name, c.relname,
                           CASE WHEN x.indnullsnotdistinct THEN ' NULLS NOT DISTINCT' END,
                           (SELECT string_agg(pg_get_indexdef(c.oid, g, true), ', ' ORDER BY g) FROM generate_series(1, x.indnkeyatts) g),
                           ' INCLUDE (' || (SELECT string_agg(pg_get_indexdef(c.oid, g, true), ', ' ORDER BY g)
                                              FROM generate_series(x.indnkeyatts + 1, x.indnatts) g) || ')',
                           ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
                           ' USING INDEX TABLESPACE ' || quote_ident(s.spcname))]
                ELSE ARRAY[
                    format('DROP INDEX %s', d.index_name),
                    format('%s%s', d.body, ' WHERE ' || p.wide)] END
           || CASE WHEN p.comment = '' THEN '{}'
                   WHEN k.kind = 'unique index' THEN ARRAY[format('COMMENT ON INDEX %s IS %L', d.index_name, rtrim(p.comment, E'\n'))]
                   ELSE ARRAY[format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.relname, m.qualified_name, rtrim(p.comment, E'\n'))] END
      FROM steward_internal.table_members(relation) m
      JOIN pg_index x ON x.indrelid = m.member
      JOIN pg_class c ON c.oid = x.indexrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
      LEFT JOIN pg_constraint o ON o.conindid = x.indexrelid AND o.conrelid = x.indrelid AND o.contype IN ('u', 'x')
     CROSS JOIN LATERAL (
        SELECT o.contype, pg_get_expr(x.indpred, x.indrelid) AS predicate, format('(%I IS NULL)', column_name) AS live,
               coalesce(obj_description(o.oid, 'pg_constraint'), obj_description(c.oid, 'pg_class'), '') AS comment,
               '(Exclusion constraint|Unique constraint|Unique index) for live rows only, from steward.soft_delete_enable\(\)\.$' AS marked
     ) r
     CROSS JOIN LATERAL (
        SELECT r.contype,
               coalesce(lower(substring(r.comment FROM r.marked) COLLATE "C"),
                        CASE r.contype WHEN 'x' THEN 'exclusion constraint' WHEN 'u' THEN 'unique constraint' ELSE 'unique index' END) AS kind
     ) k
     CROSS JOIN LATERAL (
        SELECT r.comment ~ r.marked AND (r.predicate = r.live OR r.predicate LIKE '% AND ' || replace(replace(r.live, '\', '\\'), '_', '\_') || ')') AS is_narrow,
               regexp_replace(r.comment, r.marked, '') || CASE WHEN r.comment <> '' AND r.comment !~ r.marked THEN E'\n' ELSE '' END AS comment,
               upper(left(k.kind, 1) COLLATE "C") || substr(k.kind, 2) || ' for live rows only, from steward.soft_delete_enable().' AS mark,
               coalesce(r.predicate || ' AND ', '') || format('%I IS NULL', column_name) AS narrow,
               CASE WHEN r.predicate <> r.live THEN left(r.predicate, -length(' AND ' || r.live || ')')) || ')' END AS wide,
               EXISTS (SELECT FROM pg_depend d
                         JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attname = column_name AND a.attnum = d.refobjsubid
                        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = x.indrelid
                          AND (d.classid = 'pg_class'::regclass AND d.objid = c.oid OR d.classid = 'pg_constraint'::regclass AND d.objid = o.oid)) AS has_column,
               -- what concerns one of the index's partitions concerns it
               ARRAY(SELECT c.oid UNION SELECT t.relid FROM pg_partition_tree(c.oid) t) AS parts
     ) p
     CROSS JOIN LATERAL (
        SELECT format('%I.%I', n.nspname, c.relname) AS index_name,
               CASE WHEN o.condeferrable THEN ' DEFERRABLE' ELSE '' END || CASE WHEN o.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END AS deferral,
               CASE WHEN o.contype = 'x' THEN pg_get_constraintdef(o.oid)
                    ELSE regexp_replace(pg_get_indexdef(c.oid), '^(CREATE UNIQUE INDEX ("([^"]|"")+"|[^ "]+) ON )ONLY ', '\1') END AS definition
     ) e
     CROSS JOIN LATERAL (
        SELECT e.index_name, e.deferral,
               left(e.definition, length(e.definition) - CASE WHEN o.contype = 'x' THEN length(e.deferral) ELSE 0 END
                                  - coalesce(length(r.predicate) + CASE WHEN o.contype = 'x' THEN length(' WHERE ()') ELSE length(' WHERE ') END, 0))
               || coalesce(CASE WHEN o.contype = 'x' THEN ' USING INDEX' ELSE '' END || ' TABLESPACE ' || quote_ident(s.spcname), '') AS body
     ) d
     WHERE (x.indisunique OR o.contype = 'x') AND NOT x.indisprimary
       AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = x.indexrelid)
       -- others that look at the column know what they do
       AND (p.is_narrow OR x.indpred IS NULL OR NOT p.has_column)
     ORDER BY m.depth, m.qualified_name COLLATE "C", c.relname;
END;
COMMENT ON FUNCTION steward_internal.soft_delete_unique(regclass, name) IS
'Returns the unique indexes, unique constraints and exclusion constraints of a table, with the commands that make each hold for live rows only and those that undo it, and why one stays as it is.';

CREATE FUNCTION steward_internal.soft_delete_narrow(relation regclass, column_name name, keep_unique text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    i record;
BEGIN
    FOR i IN
        SELECT u.*, strpos(',' || coalesce(keep_unique, '') || ',', ',' || quote_ident(u.name) || ',') > 0 AS is_kept
          FROM steward_internal.soft_delete_unique(relation, column_name) u
    LOOP
        IF i.is_narrow THEN
            RETURN QUERY SELECT unnest(i.widen) WHERE i.is_kept;
        ELSIF i.is_kept THEN
            RETURN NEXT format('-- %s %I of %s stays: it is in keep_unique', i.kind, i.name, i.qualified_name);
        ELSIF i.stays IS NOT NULL THEN
            RETURN NEXT format('-- %s %I of %s stays: %s', i.kind, i.name, i.qualified_name, i.stays);
        ELSE
            RETURN QUERY SELECT unnest(i.narrow);
        END IF;
    END LOOP;
    RETURN QUERY
        SELECT format('-- primary key %1$I of %2$s holds for stamped rows, too: INSERT … ON CONFLICT (%3$s) DO UPDATE SET %4$I = NULL brings one back, or: '
                      'ALTER TABLE %2$s DROP CONSTRAINT %1$I, ADD COLUMN %5$I bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ADD UNIQUE (%3$s);',
                      k.conname, k.conrelid::regclass, c.columns, column_name,
                      CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attname = 'id' AND NOT a.attisdropped) THEN 'row_id' ELSE 'id' END)
          FROM pg_constraint k
         CROSS JOIN LATERAL (
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY array_position(k.conkey, a.attnum)) AS columns,
                   -- nobody makes up the values: they name something
                   bool_and(NOT a.atthasdef AND a.attidentity = '' AND (t.typcategory = 'S' OR EXISTS (
                       SELECT FROM pg_constraint f WHERE f.conrelid = k.conrelid AND f.contype = 'f' AND a.attnum = ANY (f.conkey)))) AS is_natural
              FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
             WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
         ) c
         WHERE k.conrelid = relation AND k.contype = 'p' AND c.is_natural;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_narrow(regclass, name, text) IS
'Returns the commands that make what is unique in a table so among live rows only, but for those to keep, with a comment for each that stays as it is.';

CREATE FUNCTION steward_internal.soft_delete_check_unique(relation regclass, keep_unique name[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unknown constant text := (SELECT min(u.name::text COLLATE "C") FROM unnest(keep_unique) u(name)
                               WHERE u.name IS NULL OR NOT EXISTS (SELECT FROM steward_internal.table_members(relation) m
                                                                     JOIN pg_index x ON x.indrelid = m.member
                                                                     JOIN pg_class c ON c.oid = x.indexrelid AND c.relname = u.name));
BEGIN
    IF array_position(keep_unique, NULL) IS NOT NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'list of constraints must not contain null';
    ELSIF unknown IS NOT NULL THEN
        RAISE undefined_object USING
            MESSAGE = format('table %s has no unique constraint or index "%s" to keep', relation, unknown);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_check_unique(regclass, name[]) IS
'Raises 42704 if a table has no index of one of these names, and 22004 for null.';
