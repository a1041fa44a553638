CREATE EXTENSION IF NOT EXISTS pg_steward CASCADE;
\set library pg_steward
SELECT CASE :'column'
         WHEN 'updated_at' THEN
           format('CREATE TRIGGER updated_at BEFORE UPDATE ON %I FOR EACH ROW
                   EXECUTE FUNCTION steward.updated_at_trigger(''updated_at'')', :'table')
         WHEN 'search_vector' THEN
           format('CREATE TRIGGER search_vector BEFORE INSERT OR UPDATE ON %I FOR EACH ROW
                   EXECUTE FUNCTION steward.search_vector_trigger(''search_vector'', ''title:A'', ''content:B'', ''config=english'')', :'table')
         WHEN 'version' THEN
           format('CREATE TRIGGER version BEFORE UPDATE ON %I FOR EACH ROW
                   EXECUTE FUNCTION steward.row_version_trigger(''version'')', :'table')
         WHEN 'created_at' THEN
           format('CREATE TRIGGER created_at BEFORE UPDATE ON %I FOR EACH ROW
                   EXECUTE FUNCTION steward.immutable_trigger(''created_at'')', :'table')
         WHEN 'deleted_at' THEN
           format('CREATE TRIGGER deleted_at BEFORE DELETE ON %I FOR EACH ROW
                   EXECUTE FUNCTION steward.soft_delete_trigger(''deleted_at'')', :'table')
         WHEN 'soft_delete' THEN
           format('DO $enable$ BEGIN PERFORM steward.soft_delete_enable(%L); END $enable$', :'table')
         WHEN '*' THEN
           format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW
                   EXECUTE FUNCTION steward.append_only_trigger()', :'table')
         WHEN 'id' THEN
           format('ALTER TABLE %I ALTER id SET DEFAULT steward.uuidv7()', :'table')
       END
\gexec
