-- The inverse of tables.sql.
DROP TABLE order_items, orders, customers;
