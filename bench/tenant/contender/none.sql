-- The baseline: no policy, and a query that says WHERE.
\set context 'SELECT %L'
