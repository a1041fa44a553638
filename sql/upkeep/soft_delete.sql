-- soft_delete: rows that are stamped instead of deleted.

CREATE FUNCTION steward.soft_delete_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_soft_delete_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.soft_delete_trigger() IS
'Stamps a row instead of deleting it. Arguments: the column, clock=transaction|statement|wall, allow= (roles that delete for real), keep_unique= (what soft_delete_enable() leaves alone), view=true|false.';

CREATE FUNCTION steward.soft_delete_cascade_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_soft_delete_cascade_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.soft_delete_cascade_trigger() IS
'Does what foreign keys say ON DELETE when a row is stamped, and restores with a row what went along. Argument: the column.';

CREATE FUNCTION steward_internal.is_current_transaction(transaction xid) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_transaction' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.is_current_transaction(xid) IS
'Tells whether a transaction is the current one, or a savepoint of it.';

CREATE FUNCTION steward_internal.soft_delete_check(relation regclass, column_name name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    member record;
    a record;
BEGIN
    PERFORM steward_internal.check_owners(relation);
    FOR member IN SELECT m.*, c.relkind FROM steward_internal.table_members(relation) m JOIN pg_class c ON c.oid = m.member LOOP
        IF member.relkind NOT IN ('r', 'p') THEN
            RAISE wrong_object_type USING
                MESSAGE = format('rows of %s cannot be soft-deleted', member.member),
                DETAIL = format('It is a %s.', CASE member.relkind WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view'
                                               WHEN 'm' THEN 'materialized view' ELSE 'relation without rows of its own' END);
        END IF;
        SELECT t.attname, format_type(t.atttypid, t.atttypmod) AS type, t.attnotnull, t.attgenerated <> '' AS is_generated,
               coalesce(nullif(y.typbasetype, 0), y.oid)::regtype::text AS base_type,
               EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = t.attrelid AND d.objsubid = t.attnum
                          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.attrelid AND d.refobjsubid = 0
                          AND d.deptype = 'i') AS is_partition_key
          INTO a
          FROM pg_attribute t
          JOIN pg_type y ON y.oid = t.atttypid
         WHERE t.attrelid = member.member AND t.attname = column_name AND t.attnum > 0 AND NOT t.attisdropped;
        CONTINUE WHEN NOT FOUND;
        IF a.base_type NOT IN ('timestamp with time zone', 'timestamp without time zone') THEN
            RAISE datatype_mismatch USING
                MESSAGE = format('column "%s" of table %s is of type %s', column_name, member.member, a.type),
                HINT = 'Its type must be timestamptz or timestamp.';
        ELSIF a.is_generated OR a.attnotnull THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('column "%s" of table %s is %s, so no row can be live', column_name, member.member,
                                 CASE WHEN a.is_generated THEN 'generated' ELSE 'NOT NULL' END),
                HINT = format('ALTER TABLE %s ALTER COLUMN %I DROP %s;', member.member, column_name,
                              CASE WHEN a.is_generated THEN 'EXPRESSION' ELSE 'NOT NULL' END);
        ELSIF a.is_partition_key THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('column "%s" is in the partition key of table %s', column_name, member.member),
                DETAIL = 'A stamped row would have to move to another partition.',
                HINT = 'Partition by another column, or name another column to stamp.';
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_check(regclass, name) IS
'Raises an error if the rows of a table cannot be soft-deleted, or not with this column if it is there.';

CREATE FUNCTION steward_internal.soft_delete_keys(relation regclass) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('-- foreign key %I of %s, ON DELETE %s: %s', f.conname, f.conrelid::regclass,
                  CASE f.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                                     WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END,
                  CASE WHEN f.confdeltype IN ('a', 'r') THEN 'a row that live rows reference is not deleted'
                       WHEN f.confdeltype IN ('n', 'd') THEN 'live rows lose their reference, and restoring does not bring it back'
                       WHEN f.conrelid = relation OR EXISTS (SELECT FROM steward_internal.upkeep_triggers t
                                                              WHERE t.relation = f.conrelid AND t.function_name = 'soft_delete_trigger') THEN
                           'its rows are stamped and restored along'
                       ELSE format('its rows are deleted for real, unless: SELECT steward.soft_delete_enable(%L);', f.conrelid::regclass) END)
      FROM pg_constraint f
     WHERE f.contype = 'f' AND f.conparentid = 0
       AND f.confrelid IN (SELECT m.member FROM steward_internal.table_members(relation) m)
       -- those not enforced have none
       AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = f.oid)
     ORDER BY f.conrelid::regclass::text COLLATE "C", f.conname;
END;
COMMENT ON FUNCTION steward_internal.soft_delete_keys(regclass) IS
'Returns a comment for each foreign key that references a table: what becomes of its rows when one of the table is deleted.';
