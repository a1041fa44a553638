\set table docs
\set column search_vector
\ir :contender
ALTER TABLE docs ALTER content SET STORAGE PLAIN, ALTER search_vector SET STORAGE PLAIN;
