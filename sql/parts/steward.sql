\echo Use "CREATE EXTENSION pg_steward CASCADE" to load this file. \quit

-- Everybody may name what stands in the schema: migrations attach the triggers.
-- What may be read or called is granted object by object.
GRANT USAGE ON SCHEMA steward TO PUBLIC;
