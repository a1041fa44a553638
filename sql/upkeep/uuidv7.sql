-- uuidv7: ids that grow with time.

CREATE FUNCTION steward.uuidv7() RETURNS uuid
AS 'MODULE_PATHNAME', 'steward_uuidv7' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.uuidv7() IS
'Returns a UUID of version 7 (RFC 9562): later ones are greater, so that an index takes them at its end.';
