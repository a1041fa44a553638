-- soft_delete: rows that are stamped instead of deleted.

CREATE FUNCTION steward.soft_delete_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_soft_delete_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.soft_delete_trigger() IS
'Stamps a row instead of deleting it. Arguments: the column, clock=transaction|statement|wall, allow= (roles that delete for real).';

CREATE FUNCTION steward.soft_delete_cascade() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_soft_delete_cascade' LANGUAGE C;
COMMENT ON FUNCTION steward.soft_delete_cascade() IS
'Stamps and restores the rows that reference one by a foreign key ON DELETE CASCADE along with it. Argument: the column.';
