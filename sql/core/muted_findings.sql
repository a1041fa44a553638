-- muted_findings: what is as it should be, whatever the checks say.

CREATE TABLE steward.muted_findings (
    finding_key text        COLLATE "C" PRIMARY KEY,
    reason      text        NOT NULL,
    muted_until timestamptz NOT NULL DEFAULT 'infinity',
    muted_by    name        NOT NULL DEFAULT current_user,
    muted_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE steward.muted_findings IS
'Findings that findings and tenant_check() leave out, by their finding_key, for a while or for ever.';
COMMENT ON COLUMN steward.muted_findings.finding_key IS 'Of the finding.';
COMMENT ON COLUMN steward.muted_findings.reason IS 'Why it is fine as it is.';
COMMENT ON COLUMN steward.muted_findings.muted_until IS 'When it is to be shown again.';
COMMENT ON COLUMN steward.muted_findings.muted_by IS 'Who says so.';
COMMENT ON COLUMN steward.muted_findings.muted_at IS 'Since when.';
-- tenant_check() and the guard of new tables read it as whoever calls them
GRANT SELECT ON steward.muted_findings TO PUBLIC;
SELECT pg_extension_config_dump('steward.muted_findings', '');

CREATE VIEW steward_internal.muted_now AS
SELECT m.finding_key, m.reason
  FROM steward.muted_findings m
 WHERE m.muted_until > clock_timestamp();
COMMENT ON VIEW steward_internal.muted_now IS
'The findings that are not to be shown at this moment.';
GRANT SELECT ON steward_internal.muted_now TO PUBLIC;
