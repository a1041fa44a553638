\if :{?folded}
  \set policy 'steward.is_current_tenant_folded(%1$I)'
\elif :{?members}
  \set policy '%1$I = ANY (ARRAY(SELECT m.tenant_id FROM members m WHERE steward.is_current_user(m.user_id)))'
\else
  \set policy 'steward.is_current_tenant(%1$I)'
\endif
\set context 'SELECT steward.tenant_set(%1$L, %1$L)'
\ir ../part/policy.sql
