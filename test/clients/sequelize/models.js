// The tables of the shop, and transactions that know for whom they work.
const { AsyncLocalStorage } = require('node:async_hooks')
const { DataTypes, Sequelize } = require('sequelize')

// Queries within workingFor() run in its transaction, without being passed it.
const storage = new AsyncLocalStorage()
Sequelize.useCLS({
  run: (work) => storage.run(new Map(storage.getStore()), () => work(storage.getStore())),
  get: (key) => storage.getStore()?.get(key),
  set: (key, value) => storage.getStore()?.set(key, value),
  bind: (work) => work,
})

const sequelize = new Sequelize(process.env.PGDATABASE, process.env.PGUSER, null, {
  dialect: 'postgres',
  host: process.env.PGHOST,
  port: process.env.PGPORT,
  logging: false,
  pool: { max: 10 },
})

function workingFor(token, work) {
  return sequelize.transaction(async () => {
    await sequelize.query('SELECT steward.tenant_login($token)', { bind: { token } })
    return work()
  })
}

const id = { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true }
const tenant = { tenant_id: { type: DataTypes.BIGINT } }
const stamps = {
  created_at: { type: DataTypes.DATE, allowNull: false, defaultValue: Sequelize.fn('now') },
  updated_at: { type: DataTypes.DATE, allowNull: false, defaultValue: Sequelize.fn('now') },
}
const softDeleted = { createdAt: false, updatedAt: false, paranoid: true, deletedAt: 'deleted_at' }

const Customer = sequelize.define('Customer', {
  id,
  ...tenant,
  email: { type: DataTypes.TEXT, allowNull: false },
  name: { type: DataTypes.TEXT, allowNull: false },
  ...stamps,
  search_vector: DataTypes.TSVECTOR,
}, {
  ...softDeleted,
  tableName: 'customers',
  indexes: [
    { name: 'customers_tenant_id', fields: ['tenant_id'] },
    { name: 'customers_search_vector', fields: ['search_vector'], using: 'gin' },
    { name: 'customers_email', fields: ['tenant_id', 'email'], unique: true, where: { deleted_at: null } },
  ],
})

const Order = sequelize.define('Order', {
  id,
  ...tenant,
  status: { type: DataTypes.TEXT, allowNull: false },
  placed_by: DataTypes.TEXT,
  ...stamps,
}, {
  ...softDeleted,
  tableName: 'orders',
  version: 'version',
  indexes: [{ name: 'orders_tenant_id', fields: ['tenant_id'] }],
})

const OrderItem = sequelize.define('OrderItem', {
  id,
  ...tenant,
  sku: { type: DataTypes.TEXT, allowNull: false },
  quantity: { type: DataTypes.INTEGER, allowNull: false },
}, {
  ...softDeleted,
  tableName: 'order_items',
  indexes: [{ name: 'order_items_tenant_id', fields: ['tenant_id'] }],
})

Order.belongsTo(Customer, { foreignKey: { name: 'customer_id', allowNull: false }, onDelete: 'CASCADE' })
OrderItem.belongsTo(Order, { foreignKey: { name: 'order_id', allowNull: false }, onDelete: 'CASCADE' })
Order.hasMany(OrderItem, { foreignKey: 'order_id' })

module.exports = { Customer, Order, OrderItem, sequelize, workingFor }
