\ir ../../before.sql
UPDATE docs SET title = s.title, content = s.content FROM source.docs s WHERE s.id = docs.id;
\ir ../../after.sql
VACUUM docs;
