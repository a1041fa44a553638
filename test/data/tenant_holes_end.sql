-- Takes away what tenant_holes.sql has made.
SET client_min_messages = warning;
COPY (SELECT) TO :'keys';
DELETE FROM steward.muted_findings;
DROP SCHEMA naive, ours CASCADE;
DROP FUNCTION public.attempt;
DROP OWNED BY regress_holes_owner, regress_holes_app, regress_holes_gateway, regress_holes_admin, regress_holes_other;
DROP ROLE regress_holes_owner, regress_holes_app, regress_holes_gateway, regress_holes_admin, regress_holes_other;
