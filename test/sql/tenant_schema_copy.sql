-- Everything that a template may have: a copy has it too, and drift tells where one has not.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_copy_owner;
CREATE ROLE "regress_copy 'App' %s";
CREATE ROLE regress_copy_late;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_copy_owner', current_database()) \gexec
GRANT SELECT, INSERT, UPDATE, DELETE ON steward.tenants, steward.tenant_migrations TO regress_copy_owner;
CREATE SCHEMA copy_shared AUTHORIZATION regress_copy_owner;
CREATE SCHEMA "Tpl %I 'x'" AUTHORIZATION regress_copy_owner;
SET ROLE regress_copy_owner;
CREATE TABLE copy_shared.countries (code char(2) PRIMARY KEY);
CREATE FUNCTION copy_shared.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TYPE copy_shared.flag AS ENUM ('up', 'down');

-- from here on under the name of the template alone
SET search_path = "Tpl %I 'x'", pg_temp;
COMMENT ON SCHEMA "Tpl %I 'x'" IS 'what''s 100% ours';
CREATE TYPE mood AS ENUM ('sad', 'it''s', 'ok');
CREATE TYPE size AS (width int, "He %s" numeric(4,1));
CREATE DOMAIN positive AS integer DEFAULT 1 NOT NULL CONSTRAINT is_positive CHECK (VALUE > 0);
COMMENT ON DOMAIN positive IS 'above';
COMMENT ON CONSTRAINT is_positive ON DOMAIN positive IS 'not zero';
CREATE DOMAIN code AS text;
CREATE FUNCTION is_code(c text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN c ~ '^[A-Z]';
ALTER DOMAIN code ADD CONSTRAINT like_this CHECK (is_code(VALUE)) NOT VALID;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 7 RETURN n * 2;
CREATE FUNCTION pinned("a % b" text DEFAULT '%I', VARIADIC more int[] DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 3
    SET search_path = "Tpl %I 'x'", pg_temp SET work_mem = '5MB' SET DateStyle = 'ISO, DMY'
    AS $$ BEGIN RETURN QUERY SELECT format('%s %I', "a % b", count(*)) FROM gadgets; END $$;
CREATE TABLE gadgets (
    id       bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 5 CACHE 3) PRIMARY KEY,
    gone     text,
    "Na""me" text COLLATE "C" NOT NULL DEFAULT 'x' || 'y%s',
    mood     mood DEFAULT 'ok',
    flag     copy_shared.flag DEFAULT 'up',
    size     size,
    amount   positive,
    doubled  int GENERATED ALWAYS AS (twice(id::int) + 1) STORED,
    tags     text[] COMPRESSION pglz DEFAULT '{}',
    country  char(2) REFERENCES copy_shared.countries,
    parent   bigint REFERENCES gadgets ON DELETE SET NULL DEFERRABLE,
    during   int4range,
    version  int DEFAULT 1,
    updated_at timestamptz,
    CONSTRAINT "named ""check"" %s" CHECK (amount < 1000 AND mood <> 'sad') NO INHERIT,
    UNIQUE NULLS NOT DISTINCT (mood, "Na""me") INCLUDE (flag) WITH (fillfactor = 77),
    EXCLUDE USING gist (during WITH &&) WHERE (version > 0)
) WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off);
ALTER TABLE gadgets DROP COLUMN gone;
ALTER TABLE gadgets ALTER tags SET STORAGE EXTERNAL, ALTER tags SET STATISTICS 33, ALTER version SET (n_distinct = 5);
COMMENT ON TABLE gadgets IS 'of "Tpl %I ''x''".gadgets';
COMMENT ON COLUMN gadgets."Na""me" IS 'it''s %s';
COMMENT ON CONSTRAINT "named ""check"" %s" ON gadgets IS 'checked';
CREATE TABLE parts (
    id     serial,
    gadget bigint NOT NULL,
    label  text DEFAULT lower('X'),
    PRIMARY KEY (id),
    CONSTRAINT part_of FOREIGN KEY (gadget) REFERENCES gadgets ON UPDATE CASCADE ON DELETE RESTRICT
);
ALTER TABLE gadgets ADD COLUMN main_part int CONSTRAINT main REFERENCES parts DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE parts ADD CONSTRAINT later CHECK (label <> '') NOT VALID;
CREATE SEQUENCE numbers AS smallint INCREMENT BY -1 MINVALUE -100 MAXVALUE -1 CYCLE;
ALTER TABLE parts ADD COLUMN number int DEFAULT nextval('numbers');
CREATE INDEX "Odd %I index" ON gadgets USING btree (lower("Na""me") COLLATE "C" DESC NULLS LAST, twice(version)) INCLUDE (mood) WITH (fillfactor = 60) WHERE mood = 'ok';
CREATE INDEX ON gadgets USING gin (tags);
COMMENT ON INDEX "Odd %I index" IS 'odd';
CREATE UNIQUE INDEX replica ON parts (gadget, id);
ALTER TABLE parts REPLICA IDENTITY USING INDEX replica;
ALTER TABLE parts CLUSTER ON replica;
CREATE UNLOGGED TABLE empty ();
CREATE STATISTICS combined (ndistinct, mcv) ON mood, flag FROM gadgets;
ALTER STATISTICS combined SET STATISTICS 77;
ALTER INDEX "Odd %I index" ALTER COLUMN 1 SET STATISTICS 88;
CREATE STATISTICS expressed ON (version + 1) FROM gadgets;
-- partitions on two levels, with keys in and out
CREATE TABLE events (id bigint, at date NOT NULL, kind text DEFAULT 'a', gadget bigint REFERENCES gadgets, PRIMARY KEY (id, at, kind), CHECK (id > 0)) PARTITION BY RANGE (at);
CREATE INDEX ON events (kind);
CREATE TABLE events_2025 (at date NOT NULL, extra_first text, id bigint NOT NULL, kind text NOT NULL DEFAULT 'other', gadget bigint, CONSTRAINT events_id_check CHECK (id > 0));
ALTER TABLE events_2025 DROP COLUMN extra_first;
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY RANGE (at, kind);
CREATE TABLE events_2026_a PARTITION OF events_2026 (CONSTRAINT own CHECK (kind <> 'b')) FOR VALUES FROM ('2026-01-01', MINVALUE) TO ('2026-07-01', 'm');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE event_notes (event_id bigint, event_at date, event_kind text, FOREIGN KEY (event_id, event_at, event_kind) REFERENCES events);
-- inheritance
CREATE TABLE base (id int NOT NULL, CHECK (id > 0));
CREATE TABLE derived (more text) INHERITS (base);
ALTER TABLE base ADD COLUMN later int DEFAULT 3;
ALTER TABLE derived ALTER later SET DEFAULT 4, ALTER later SET NOT NULL;
-- views, functions that need them, rules
CREATE VIEW current_gadgets WITH (security_barrier = true, security_invoker = true) AS
    SELECT g.id, g."Na""me" AS label, count(p.id) AS parts FROM gadgets g LEFT JOIN parts p ON p.gadget = g.id GROUP BY g.id;
ALTER VIEW current_gadgets ALTER label SET DEFAULT 'from a view';
CREATE FUNCTION label_of(g current_gadgets) RETURNS text LANGUAGE sql STABLE RETURN (g).label;
CREATE VIEW labels AS SELECT label_of(c) AS label FROM current_gadgets c;
CREATE VIEW replaced AS SELECT 1 AS n;
CREATE VIEW younger AS SELECT 1 AS n;
CREATE OR REPLACE VIEW replaced AS SELECT n FROM younger;
CREATE FUNCTION of_replaced(r replaced) RETURNS int LANGUAGE sql STABLE RETURN (r).n;
CREATE OR REPLACE VIEW younger AS SELECT count(*)::int AS n FROM labels;
CREATE MATERIALIZED VIEW totals AS SELECT mood, count(*) AS n FROM gadgets GROUP BY mood;
CREATE UNIQUE INDEX ON totals (mood);
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE FUNCTION add_part(g gadgets, label text) RETURNS int LANGUAGE sql BEGIN ATOMIC INSERT INTO parts (gadget, label) VALUES ((g).id, label) RETURNING id; END;
CREATE PROCEDURE tidy(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN DELETE FROM parts; n := n + 1; END $$;
CREATE RULE quiet AS ON DELETE TO empty DO INSTEAD NOTHING;
CREATE RULE loud AS ON INSERT TO empty DO INSTEAD NOTHING;
ALTER TABLE empty DISABLE RULE loud;
-- triggers and policies
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.label := NEW.label || TG_ARGV[0]; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE OF label ON parts FOR EACH ROW WHEN (NEW.label IS NOT NULL) EXECUTE FUNCTION touch('it''s %s');
CREATE TRIGGER shared AFTER INSERT ON gadgets REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION copy_shared.stamp();
CREATE TRIGGER updated BEFORE UPDATE ON gadgets FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
CREATE TRIGGER versioned BEFORE UPDATE ON gadgets FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON parts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION copy_shared.stamp();
CREATE TRIGGER on_partitions AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION copy_shared.stamp();
ALTER TABLE parts DISABLE TRIGGER late;
ALTER TABLE events ENABLE ALWAYS TRIGGER on_partitions;
ALTER TABLE events_2025 DISABLE TRIGGER on_partitions;
ALTER TABLE gadgets ENABLE ALWAYS TRIGGER updated;
COMMENT ON TRIGGER touch ON parts IS 'touched';
DO $$ BEGIN PERFORM steward.audit_enable('gadgets'); END $$;
CREATE POLICY "some %s" ON gadgets AS RESTRICTIVE FOR UPDATE TO "regress_copy 'App' %s", regress_copy_owner USING (id IN (SELECT gadget FROM parts)) WITH CHECK (mood <> 'sad');
CREATE POLICY everybody ON parts;
ALTER TABLE gadgets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE parts ENABLE ROW LEVEL SECURITY;
-- grants
GRANT USAGE ON SCHEMA "Tpl %I 'x'" TO "regress_copy 'App' %s";
GRANT SELECT, INSERT ON gadgets TO "regress_copy 'App' %s" WITH GRANT OPTION;
GRANT SELECT ON current_gadgets, totals TO PUBLIC;
GRANT UPDATE ("Na""me", mood) ON gadgets TO regress_copy_late;
GRANT USAGE ON SEQUENCE parts_id_seq, gadgets_id_seq TO "regress_copy 'App' %s";
REVOKE EXECUTE ON FUNCTION twice(int) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE tidy(int) TO regress_copy_late;
REVOKE USAGE ON TYPE mood FROM PUBLIC;
REVOKE ALL ON parts FROM regress_copy_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA "Tpl %I 'x'" GRANT SELECT ON TABLES TO "regress_copy 'App' %s";
RESET search_path;
ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO regress_copy_late;

CALL steward.tenant_schema_create('{one,two}', '"Tpl %I ''x''"');
SELECT * FROM steward.tenant_schema_drift('"Tpl %I ''x''"');
RESET ROLE;
-- nothing in a copy depends on the template, and nothing names it
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS of_copy, pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) AS of_template
  FROM pg_depend d
 WHERE (pg_identify_object_as_address(d.classid, d.objid, d.objsubid)).object_names[1] IN ('tenant_one', 'tenant_two')
   AND (pg_identify_object_as_address(d.refclassid, d.refobjid, d.refobjsubid)).object_names[1] IN ('Tpl %I ''x''', 'tenant_one', 'tenant_two')
   AND (pg_identify_object_as_address(d.classid, d.objid, d.objsubid)).object_names[1] <> (pg_identify_object_as_address(d.refclassid, d.refobjid, d.refobjsubid)).object_names[1];
SELECT count(*) > 100 AS many, count(*) FILTER (WHERE definition ~ 'Tpl' AND kind <> 'comment') AS named FROM steward_internal.tenant_schema_read(ARRAY['tenant_one'::regnamespace::oid]);
-- many schemas are read as each of them is
SELECT count(*) > 300 AS many, count(DISTINCT r) = count(*) AS once FROM steward_internal.tenant_schema_read(ARRAY['tenant_one'::regnamespace, '"Tpl %I ''x''"'::regnamespace, 'tenant_two'::regnamespace]::oid[]) r;
SELECT r.schema_id, r.kind, r.object, r.definition FROM steward_internal.tenant_schema_read(ARRAY['tenant_one'::regnamespace, '"Tpl %I ''x''"'::regnamespace, 'tenant_two'::regnamespace]::oid[]) r
EXCEPT SELECT r.schema_id, r.kind, r.object, r.definition FROM unnest(ARRAY['tenant_one'::regnamespace, '"Tpl %I ''x''"'::regnamespace, 'tenant_two'::regnamespace]::oid[]) s(oid), steward_internal.tenant_schema_read(ARRAY[s.oid]) r;
-- and it has as much
SELECT n.relkind, n.count = o.count AS as_many
  FROM (SELECT relkind, count(*) FROM pg_class WHERE relnamespace = '"Tpl %I ''x''"'::regnamespace GROUP BY 1) n
  FULL JOIN (SELECT relkind, count(*) FROM pg_class WHERE relnamespace = 'tenant_two'::regnamespace GROUP BY 1) o USING (relkind) ORDER BY 1;
SELECT count(*) FILTER (WHERE NOT tgisinternal) AS triggers, count(DISTINCT tgrelid) AS tables FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
 WHERE relnamespace IN ('"Tpl %I ''x''"'::regnamespace, 'tenant_two'::regnamespace) GROUP BY relnamespace;
SELECT r.relname, t.tgenabled FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid WHERE tgname = 'on_partitions' AND relnamespace = 'tenant_two'::regnamespace ORDER BY relname COLLATE "C";
-- it works
SET ROLE regress_copy_owner;
SET search_path = tenant_one, pg_temp;
ALTER TABLE gadgets NO FORCE ROW LEVEL SECURITY;
GRANT ALL ON parts TO regress_copy_owner;
ALTER TABLE parts DISABLE ROW LEVEL SECURITY;
INSERT INTO gadgets ("Na""me") VALUES ('first') RETURNING id, mood, amount, doubled, version;
INSERT INTO parts (gadget, label) VALUES (100, 'p') RETURNING *;
SELECT * FROM current_gadgets;
SELECT * FROM labels;
SELECT * FROM pinned('%');
SELECT add_part(g, 'added') FROM gadgets g;
INSERT INTO events VALUES (1, '2026-03-03'), (2, '2025-03-03');
SELECT tableoid::regclass, * FROM events ORDER BY id;
INSERT INTO derived (id) VALUES (1) RETURNING *;
RESET search_path;
RESET ROLE;

-- Each class of difference.
SET ROLE regress_copy_owner;
SET search_path = tenant_two, pg_temp;
DROP TABLE event_notes;
DROP FUNCTION add_part;
CREATE TABLE additional (id int);
ALTER TABLE parts DROP COLUMN number, ADD COLUMN more text;
ALTER TABLE base ALTER later TYPE bigint;
ALTER TABLE derived ALTER later DROP NOT NULL;
ALTER TABLE gadgets ALTER version SET DEFAULT 2, ALTER tags SET STORAGE MAIN, ALTER tags SET STATISTICS 44, ALTER version RESET (n_distinct), ALTER country TYPE varchar(2);
ALTER TABLE gadgets DROP CONSTRAINT "named ""check"" %s", ADD CONSTRAINT "named ""check"" %s" CHECK (amount < 999);
ALTER TABLE parts DROP CONSTRAINT part_of;
ALTER TABLE gadgets SET (fillfactor = 71);
DROP INDEX "Odd %I index";
CREATE INDEX ON parts (label);
DROP STATISTICS combined;
ALTER SEQUENCE numbers INCREMENT BY -2;
ALTER TYPE mood ADD VALUE 'new';
ALTER DOMAIN positive DROP NOT NULL;
ALTER TYPE size ADD ATTRIBUTE depth int;
CREATE OR REPLACE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 8 RETURN n * 2;
DROP PROCEDURE tidy;
CREATE FUNCTION tenants_own() RETURNS int LANGUAGE sql RETURN 1;
CREATE OR REPLACE VIEW labels AS SELECT NULL::text AS label;
ALTER VIEW current_gadgets RESET (security_invoker);
ALTER VIEW current_gadgets ALTER label DROP DEFAULT;
REFRESH MATERIALIZED VIEW unfilled;
DROP TRIGGER touch ON parts;
ALTER TABLE gadgets DISABLE TRIGGER updated;
DROP POLICY everybody ON parts;
ALTER POLICY "some %s" ON gadgets USING (true);
ALTER TABLE gadgets DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE parts REPLICA IDENTITY FULL, SET WITHOUT CLUSTER;
ALTER TABLE events DETACH PARTITION events_2025;
DROP RULE quiet ON empty;
ALTER TABLE empty ENABLE RULE loud;
ALTER TABLE ONLY events_2026 DISABLE TRIGGER on_partitions;
ALTER STATISTICS expressed SET STATISTICS 5;
ALTER INDEX replica RENAME TO replicas;
ALTER DOMAIN code VALIDATE CONSTRAINT like_this;
COMMENT ON CONSTRAINT is_positive ON DOMAIN positive IS NULL;
GRANT DELETE ON gadgets TO "regress_copy 'App' %s";
REVOKE USAGE ON SCHEMA tenant_two FROM "regress_copy 'App' %s";
REVOKE UPDATE (mood) ON gadgets FROM regress_copy_late;
ALTER DEFAULT PRIVILEGES IN SCHEMA tenant_two REVOKE SELECT ON TABLES FROM "regress_copy 'App' %s";
COMMENT ON TABLE gadgets IS 'else';
COMMENT ON SCHEMA tenant_two IS NULL;
RESET search_path;
RESET ROLE;
ALTER TABLE tenant_two.base OWNER TO CURRENT_USER;
SELECT difference, kind, object FROM steward.tenant_schema_drift('"Tpl %I ''x''"', '{two}');
SELECT expected, found FROM steward.tenant_schema_drift('"Tpl %I ''x''"', '{two}') WHERE kind IN ('default', 'column', 'storage', 'sequence', 'grant') AND difference <> 'extra';

-- A table may bear the name of its template, and that of a type; what else has it is no text.
CREATE SCHEMA copy_same;
CREATE TABLE copy_same.copy_same (id serial PRIMARY KEY, path text DEFAULT 'copy_same', CHECK (id > 0));
CREATE TABLE copy_same.path (id int CONSTRAINT "must %s" NOT NULL REFERENCES copy_same.copy_same);
CREATE VIEW copy_same.v AS SELECT copy_same.id, copy_same.path FROM copy_same.copy_same;
CREATE POLICY p ON copy_same.path USING (EXISTS (SELECT FROM copy_same.copy_same WHERE copy_same.id = path.id));
CALL steward.tenant_schema_create('{same}', 'copy_same');
SELECT * FROM steward.tenant_schema_drift('copy_same');
INSERT INTO tenant_same.copy_same DEFAULT VALUES RETURNING *;
SELECT pg_get_viewdef('tenant_same.v') ~ 'FROM tenant_same\.' AS own;
-- servers from 18 on have a constraint for NOT NULL
SELECT conname FROM pg_constraint WHERE connamespace = 'copy_same'::regnamespace EXCEPT SELECT conname FROM pg_constraint WHERE connamespace = 'tenant_same'::regnamespace;
-- a label goes with the table, or there is no copy; as if there were a provider
SET allow_system_table_mods = on;
INSERT INTO pg_seclabel VALUES ('copy_same.path'::regclass, 'pg_class'::regclass, 0, 'no provider', 'secret'), ('copy_same'::regnamespace, 'pg_namespace'::regclass, 0, '100%', '%s');
RESET allow_system_table_mods;
SELECT difference, kind, object, expected FROM steward.tenant_schema_drift('copy_same');
CALL steward.tenant_schema_create('{same2}', 'copy_same');
SELECT key FROM steward.tenants WHERE key = 'same2';

-- What cannot be copied is said.
CREATE SCHEMA copy_bad;
CREATE AGGREGATE copy_bad.total(int) (SFUNC = int4pl, STYPE = int);
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP AGGREGATE copy_bad.total(int);
CREATE TYPE copy_bad.span AS RANGE (SUBTYPE = int);
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP TYPE copy_bad.span;
CREATE OPERATOR copy_bad.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP OPERATOR copy_bad.===(int, int);
CREATE FUNCTION copy_bad.named() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM copy_bad.t); END $$;
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP FUNCTION copy_bad.named();
CREATE SEQUENCE copy_bad.s;
CREATE TABLE copy_bad.t (id bigint DEFAULT nextval('copy_bad.s'::text));
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP TABLE copy_bad.t;
-- a name that means something else in pg_catalog
CREATE TABLE copy_bad.pg_class (id int PRIMARY KEY);
CREATE TABLE copy_bad.t (id int REFERENCES copy_bad.pg_class);
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP TABLE copy_bad.t, copy_bad.pg_class;
CREATE TABLE copy_bad.path (id int);
CREATE FUNCTION copy_bad.length_of(p copy_bad.path) RETURNS int LANGUAGE sql RETURN 1;
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP TABLE copy_bad.path CASCADE;
CREATE FUNCTION copy_bad.lower(text) RETURNS text LANGUAGE sql RETURN $1;
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP FUNCTION copy_bad.lower(text);
CREATE FUNCTION copy_bad.named() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM "copy_bad" . t JOIN Copy_Bad.u USING (id)); END $$;
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP FUNCTION copy_bad.named();
CREATE TABLE copy_bad.p (id int) PARTITION BY LIST (id);
CREATE TABLE copy_shared.p1 PARTITION OF copy_bad.p FOR VALUES IN (1);
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP TABLE copy_bad.p;
CREATE TABLE copy_bad.t ();
ALTER TABLE copy_bad.t OWNER TO regress_copy_late;
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP TABLE copy_bad.t;
CREATE EXTENSION intarray SCHEMA copy_bad;
CALL steward.tenant_schema_create('{three}', 'copy_bad');
DROP EXTENSION intarray;
SELECT key FROM steward.tenants WHERE key = 'three';
CALL steward.tenant_schema_create('{three}', 'copy_bad');
SELECT key, schema_name FROM steward.tenants WHERE key = 'three';

DROP SCHEMA "Tpl %I 'x'", copy_shared, copy_bad, copy_same, tenant_same, tenant_one, tenant_two, tenant_three CASCADE;
DELETE FROM steward.tenants;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_copy_owner REVOKE DELETE ON TABLES FROM regress_copy_late;
DROP OWNED BY regress_copy_owner, regress_copy_late, "regress_copy 'App' %s";
DROP ROLE regress_copy_owner, regress_copy_late, "regress_copy 'App' %s";
