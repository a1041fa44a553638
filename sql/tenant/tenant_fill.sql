-- tenant_fill: rows whose column is null get the tenant of the transaction.

CREATE FUNCTION steward.tenant_fill_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_tenant_fill_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.tenant_fill_trigger() IS
'Gives a new row whose tenant is null that of the transaction, and refuses to set it to null; its argument is the column.';

CREATE VIEW steward_internal.tenant_fill_triggers AS
SELECT t.tgrelid AS relation_id, t.tgname AS trigger_name, t.tgparentid <> 0 AS is_inherited
  FROM pg_trigger t
  JOIN pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = 'steward'::regnamespace AND f.proname = 'tenant_fill_trigger';
COMMENT ON VIEW steward_internal.tenant_fill_triggers IS
'The triggers that call tenant_fill_trigger().';
GRANT SELECT ON steward_internal.tenant_fill_triggers TO PUBLIC;

-- Triggers fire in the order of their names, and those of others are to see the tenant. With the table in its name, that
-- of a partition does not meet the one that it gets from its table.
CREATE FUNCTION steward_internal.tenant_fill_commands(relation regclass, column_name name, events text) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    SELECT format('CREATE TRIGGER %I BEFORE %s OF %I ON %s FOR EACH ROW WHEN (new.%3$I IS NULL) EXECUTE FUNCTION steward.tenant_fill_trigger(%5$L)',
                  steward_internal.object_name('0_steward_', c.relname), events, column_name, m.qualified_name, quote_ident(column_name))
      FROM steward_internal.table_members(relation) m
      JOIN pg_class c ON c.oid = m.member AND c.relkind IN ('r', 'p')
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
     -- partitions get that of their table
     WHERE (m.member = relation OR NOT m.is_partition)
       AND a.attidentity = '' AND a.attgenerated = ''
       AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indkey[0] = a.attnum AND i.indnkeyatts = 1)
       AND NOT EXISTS (SELECT FROM steward_internal.tenant_fill_triggers t WHERE t.relation_id = c.oid)
     ORDER BY m.depth, m.qualified_name COLLATE "C";
END;
COMMENT ON FUNCTION steward_internal.tenant_fill_commands(regclass, name, text) IS
'Returns the commands that attach tenant_fill_trigger() to a table, and its inheritance children, where it is not.';
