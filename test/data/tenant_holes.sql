-- What the tests tenant_holes_... attack: the same tables twice, in schema naive under the policy that people write, and in
-- schema ours under what the builders make. regress_holes_app is the application's role; variables t1 and t2 hold tokens of
-- tenants 1 and 2.
SET client_min_messages = warning;
-- faults of this minor version are the server's
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('server_version:server ' || split_part(current_setting('server_version'), ' ', 1), 'a test of the schema');
CREATE ROLE regress_holes_owner;
CREATE ROLE regress_holes_app;
CREATE ROLE regress_holes_admin;
CREATE ROLE regress_holes_other;
CREATE ROLE regress_holes_gateway IN ROLE regress_holes_app;
GRANT EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) TO regress_holes_gateway;
CREATE SCHEMA naive AUTHORIZATION regress_holes_owner;
CREATE SCHEMA ours AUTHORIZATION regress_holes_owner;
SET ROLE regress_holes_owner;

CREATE TABLE naive.account (
    id        integer PRIMARY KEY,
    tenant_id integer,
    email     text UNIQUE,
    secret    text
);
CREATE TABLE naive.item (
    id         integer PRIMARY KEY,
    tenant_id  integer,
    account_id integer REFERENCES naive.account ON DELETE CASCADE
);
ALTER TABLE naive.account ENABLE ROW LEVEL SECURITY;
ALTER TABLE naive.item ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON naive.account USING (tenant_id = current_setting('app.tenant_id', true)::integer);
CREATE POLICY tenant ON naive.item USING (tenant_id = current_setting('app.tenant_id', true)::integer);

CREATE TABLE ours.account (
    id        integer NOT NULL,
    tenant_id integer NOT NULL,
    email     text,
    secret    text,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);
CREATE TABLE ours.item (
    id         integer NOT NULL,
    tenant_id  integer NOT NULL,
    account_id integer,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES ours.account (tenant_id, id) ON DELETE CASCADE
);
INSERT INTO naive.account VALUES (1, 1, 'one@example.org', 'one-secret'), (2, 2, 'two@example.org', 'two-secret'), (3, 2, 'three@example.org', 'two-secret3');
INSERT INTO ours.account SELECT * FROM naive.account;
INSERT INTO naive.item VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO ours.item SELECT * FROM naive.item;
SELECT count(c) > 0 AS protected FROM (SELECT steward.tenant_protect('ours.account') UNION ALL SELECT steward.tenant_protect('ours.item')) p (c) \gset

GRANT USAGE ON SCHEMA naive, ours TO regress_holes_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA naive, ours TO regress_holes_app;
RESET ROLE;

-- Runs commands, one by one, as far as each gets, and tells how many rows each found or changed or why it did not.
CREATE FUNCTION public.attempt(VARIADIC commands text[]) RETURNS TABLE (command text, result text) LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    FOREACH command IN ARRAY commands LOOP
        BEGIN
            EXECUTE command;
            GET DIAGNOSTICS n = ROW_COUNT;
            result := n || ' row(s)';
            RAISE SQLSTATE 'ZZ000';
        EXCEPTION
            WHEN SQLSTATE 'ZZ000' THEN NULL;
            WHEN OTHERS THEN result := SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $$;

SELECT current_setting('data_directory') || '/regress_tenant_holes.keys' AS keys \gset
COPY (VALUES ('holes:0123456789abcdef0123456789abcdef')) TO :'keys';
SET steward.tenant_keys_file = :'keys';
SELECT steward.tenant_sign('1', 'alice', '1 hour') AS t1, steward.tenant_sign('2', 'bob', '1 hour') AS t2 \gset
RESET client_min_messages;
