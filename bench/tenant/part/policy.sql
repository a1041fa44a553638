-- Gives :table the policy :policy, a format for the name of :column and its type.
ALTER TABLE :"table" ENABLE ROW LEVEL SECURITY;
SELECT format('CREATE POLICY bench ON %I USING (%s)', :'table',
              format(:'policy', :'column', format_type(atttypid, atttypmod)))
FROM pg_attribute WHERE attrelid = :'table'::regclass AND attname = :'column'
\gexec
