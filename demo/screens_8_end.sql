SELECT count(*) AS events, count(DISTINCT transaction_id) AS xacts, (SELECT last_value FROM demo.checks) AS checks
FROM steward.audit_log \gset
\echo :b'The log holds' :events 'events of' :xacts 'transactions; all' :checks 'checks of this demo held.':n
\echo
