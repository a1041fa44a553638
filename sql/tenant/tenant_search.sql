-- tenant_search: full-text search that keeps its index under row security.

CREATE FUNCTION steward_internal.search_matches_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'steward_search_matches_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward_internal.search_matches_support(internal) IS
'Has the planner use for search_matches() the indexes and estimates of @@.';

CREATE FUNCTION steward.search_matches(vector tsvector, query tsquery) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_search_matches' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
SUPPORT steward_internal.search_matches_support;
COMMENT ON FUNCTION steward.search_matches(tsvector, tsquery) IS
'Returns what vector @@ query says, with its index under row security.';

CREATE FUNCTION steward.tenant_search("rows" anyelement, query tsquery, max_rows integer DEFAULT 20, column_name name DEFAULT NULL) RETURNS SETOF anyelement
AS 'MODULE_PATHNAME', 'steward_tenant_search' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 20;
COMMENT ON FUNCTION steward.tenant_search(anyelement, tsquery, integer, name) IS
'Returns the rows of a table that match a query and that the caller may see, the best first.';
