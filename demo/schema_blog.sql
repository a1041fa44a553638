-- The blog of "PostgreSQL Production Patterns": users, user_profiles, posts, comments.
--
-- The SQLAlchemy models and the SQL beside them, as the DDL they stand for. What had to change to be valid or
-- to mean the same without the ORM:
--   * defaults the models fill in from Python (uuid4, dict, list, True, 0) are column defaults here;
--   * relationship(cascade="all, delete-orphan") is ON DELETE CASCADE; a relationship without cascade, which the
--     ORM answers by setting the key to NULL, is ON DELETE SET NULL; comments.author_id, which nothing in the ORM
--     looks after, keeps NO ACTION, so a user who has commented cannot be deleted;
--   * idx_posts_published_recent had NOW() in its predicate, which an index cannot have: the window is left out;
--   * users.role is NOT NULL, as the migration makes it; "metadata" is a fine column name outside SQLAlchemy;
--   * POLICY post_visibility alone would stop every author from writing, so post_authorship lets them.
-- The policies come in a function, to be switched on after the load: COPY FROM does not work under row security.

CREATE SCHEMA blog;
SET search_path = blog;

CREATE TYPE user_role AS ENUM ('user', 'admin', 'moderator');

CREATE TABLE users (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    email VARCHAR(255) NOT NULL,
    name VARCHAR(100) NOT NULL,
    role user_role NOT NULL DEFAULT 'user',
    is_active BOOLEAN DEFAULT true,
    preferences JSONB DEFAULT '{}',
    tags VARCHAR[] DEFAULT '{}',
    search_vector TSVECTOR,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE
);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE INDEX idx_users_email_active ON users (email, is_active);
CREATE INDEX idx_users_role_created ON users (role, created_at);
CREATE INDEX idx_users_search ON users USING gin (search_vector);
CREATE INDEX idx_users_tags ON users USING gin (tags);
CREATE INDEX idx_users_email_lower ON users (LOWER(email));
CREATE INDEX idx_user_preferences_gin ON users USING GIN (preferences);
CREATE INDEX idx_users_uuid_hash ON users USING HASH (id);

CREATE TABLE user_profiles (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id UUID UNIQUE REFERENCES users(id) ON DELETE SET NULL,
    bio TEXT,
    avatar_url VARCHAR(500),
    social_links JSONB DEFAULT '{}',
    settings JSONB DEFAULT '{}',
    analytics JSONB DEFAULT '{}',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE
);

CREATE TABLE posts (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    title VARCHAR(200) NOT NULL,
    content TEXT NOT NULL,
    published BOOLEAN DEFAULT false,
    view_count INTEGER DEFAULT 0,
    author_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    metadata JSONB DEFAULT '{}',
    tags VARCHAR[] DEFAULT '{}',
    search_vector TSVECTOR,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE
);
CREATE INDEX idx_posts_author_published ON posts (author_id, published);
CREATE INDEX idx_posts_published_created ON posts (published, created_at);
CREATE INDEX idx_posts_search ON posts USING gin (search_vector);
CREATE INDEX idx_posts_tags ON posts USING gin (tags);
CREATE INDEX idx_posts_metadata ON posts USING gin (metadata);
CREATE INDEX idx_posts_published_recent ON posts (created_at DESC) WHERE published = true;
CREATE INDEX idx_posts_author_covering ON posts (author_id, published) INCLUDE (title, created_at);
CREATE INDEX idx_posts_tags_gin ON posts USING GIN (tags);

CREATE TABLE comments (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    content TEXT NOT NULL,
    post_id UUID NOT NULL REFERENCES posts(id) ON DELETE CASCADE,
    author_id UUID NOT NULL REFERENCES users(id),
    parent_id UUID REFERENCES comments(id) ON DELETE SET NULL,
    is_approved BOOLEAN DEFAULT true,
    flagged_count INTEGER DEFAULT 0,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE
);
CREATE INDEX idx_comments_post_author_created ON comments (post_id, author_id, created_at DESC);
-- Not in the models: without these two every deleted user or comment reads the whole table for its foreign keys.
CREATE INDEX idx_comments_author ON comments (author_id);
CREATE INDEX idx_comments_parent ON comments (parent_id);

CREATE FUNCTION update_search_vector()
RETURNS TRIGGER AS $$
BEGIN
  NEW.search_vector := to_tsvector('english',
    COALESCE(NEW.title, '') || ' ' || COALESCE(NEW.content, ''));
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER posts_search_vector_update
  BEFORE INSERT OR UPDATE ON posts
  FOR EACH ROW EXECUTE FUNCTION update_search_vector();

CREATE FUNCTION update_user_search_vector()
RETURNS TRIGGER AS $$
BEGIN
  NEW.search_vector := to_tsvector('english',
    COALESCE(NEW.name, '') || ' ' || COALESCE(NEW.email, ''));
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER users_search_vector_update
  BEFORE INSERT OR UPDATE ON users
  FOR EACH ROW EXECUTE FUNCTION update_user_search_vector();

CREATE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
  NEW.updated_at = CURRENT_TIMESTAMP;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER update_users_updated_at
  BEFORE UPDATE ON users
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE TRIGGER update_posts_updated_at
  BEFORE UPDATE ON posts
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE PROCEDURE setup_row_level_security()
LANGUAGE plpgsql AS $$
BEGIN
  ALTER TABLE blog.users ENABLE ROW LEVEL SECURITY;
  ALTER TABLE blog.posts ENABLE ROW LEVEL SECURITY;

  CREATE POLICY user_isolation ON blog.users
    FOR ALL TO app
    USING (id = current_setting('app.current_user_id')::uuid);

  CREATE POLICY post_visibility ON blog.posts
    FOR SELECT TO app
    USING (
      published = true OR
      author_id = current_setting('app.current_user_id')::uuid
    );

  CREATE POLICY post_authorship ON blog.posts
    FOR ALL TO app
    USING (author_id = current_setting('app.current_user_id')::uuid);
END
$$;

GRANT USAGE ON SCHEMA blog TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA blog TO app;
RESET search_path;
