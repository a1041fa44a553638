-- A server as its DBA has it: the extension, and statements that are counted where the server has preloaded that.
CREATE EXTENSION pg_steward CASCADE;
