-- search: tokens that can be found by their parts.

CREATE FUNCTION steward_internal.parts_init(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'steward_parts_init' LANGUAGE C STRICT;
COMMENT ON FUNCTION steward_internal.parts_init(internal) IS
'Reads the options of a dictionary of template token_parts.';

CREATE FUNCTION steward_internal.parts_lexize(internal, internal, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'steward_parts_lexize' LANGUAGE C STRICT;
COMMENT ON FUNCTION steward_internal.parts_lexize(internal, internal, internal, internal) IS
'Returns a token and the lexemes of its parts.';

CREATE TEXT SEARCH TEMPLATE steward.token_parts (INIT = steward_internal.parts_init, LEXIZE = steward_internal.parts_lexize);
COMMENT ON TEXT SEARCH TEMPLATE steward.token_parts IS
'The dictionaries that take tokens apart, such as file names and hosts. Option: configuration, the one of the parts.';
