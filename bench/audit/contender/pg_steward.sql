-- The settings people get who ask for nothing in particular.
CREATE EXTENSION IF NOT EXISTS pg_steward CASCADE;
SELECT count(*) FROM steward.audit_enable(:'table') \g /dev/null
