const { DataTypes, Sequelize } = require('sequelize')

const id = { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true }
const required = (type) => ({ type, allowNull: false })
const tenant_id = required(DataTypes.BIGINT)
const stamp = { ...required(DataTypes.DATE), defaultValue: Sequelize.fn('now') }
const reference = (model) => ({ ...required(DataTypes.BIGINT), references: { model, key: 'id' }, onDelete: 'CASCADE' })

exports.up = async (schema) => {
  await schema.createTable('customers', {
    id,
    tenant_id,
    email: required(DataTypes.TEXT),
    name: required(DataTypes.TEXT),
    created_at: stamp,
    updated_at: stamp,
    deleted_at: DataTypes.DATE,
    search_vector: DataTypes.TSVECTOR,
  })
  await schema.addIndex('customers', ['tenant_id'], { name: 'customers_tenant_id' })
  await schema.addIndex('customers', ['search_vector'], { name: 'customers_search_vector', using: 'gin' })
  await schema.addIndex('customers', ['tenant_id', 'email'],
    { name: 'customers_email', unique: true, where: { deleted_at: null } })
  await schema.createTable('orders', {
    id,
    tenant_id,
    customer_id: reference('customers'),
    status: required(DataTypes.TEXT),
    placed_by: DataTypes.TEXT,
    version: { ...required(DataTypes.INTEGER), defaultValue: 0 },
    created_at: stamp,
    updated_at: stamp,
    deleted_at: DataTypes.DATE,
  })
  await schema.addIndex('orders', ['tenant_id'], { name: 'orders_tenant_id' })
  await schema.createTable('order_items', {
    id,
    tenant_id,
    order_id: reference('orders'),
    sku: required(DataTypes.TEXT),
    quantity: required(DataTypes.INTEGER),
    deleted_at: DataTypes.DATE,
  })
  await schema.addIndex('order_items', ['tenant_id'], { name: 'order_items_tenant_id' })
}

exports.down = async (schema) => {
  for (const table of ['order_items', 'orders', 'customers']) await schema.dropTable(table)
}
