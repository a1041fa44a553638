-- The tables of shops whose client has no other way to create them.
CREATE TABLE customers (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id     bigint NOT NULL,
    email         text NOT NULL,
    name          text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    deleted_at    timestamptz,
    search_vector tsvector
);
CREATE UNIQUE INDEX customers_email_key ON customers (tenant_id, email) WHERE deleted_at IS NULL;
CREATE INDEX customers_search_vector_idx ON customers USING gin (search_vector);
CREATE TABLE orders (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   bigint NOT NULL,
    customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
    status      text NOT NULL,
    placed_by   text,
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz
);
CREATE INDEX ON orders (customer_id);
CREATE TABLE order_items (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  bigint NOT NULL,
    order_id   bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    sku        text NOT NULL,
    quantity   integer NOT NULL,
    deleted_at timestamptz
);
CREATE INDEX ON order_items (order_id);
