-- The views as they are installed.
\set prefix 'steward.'
