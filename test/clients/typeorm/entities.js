// The tables of the shop, and transactions that know for whom they work.
const { DataSource, EntitySchema } = require('typeorm')

const id = { type: 'bigint', primary: true, generated: 'identity' }
const tenant_id = { type: 'bigint', default: () => 'steward.current_tenant_bigint()', insert: false }
const created_at = { type: 'timestamptz', default: () => 'now()', insert: false, update: false }
const updated_at = { type: 'timestamptz', default: () => 'now()', insert: false, update: false }
const deleted_at = { type: 'timestamptz', nullable: true, deleteDate: true }

const Customer = new EntitySchema({
  name: 'Customer',
  tableName: 'customers',
  columns: {
    id,
    tenant_id,
    email: { type: 'text' },
    name: { type: 'text' },
    created_at,
    updated_at,
    deleted_at,
    search_vector: { type: 'tsvector', nullable: true, select: false, insert: false, update: false },
  },
  indices: [
    { name: 'customers_tenant_id', columns: ['tenant_id'] },
    { name: 'customers_email', columns: ['tenant_id', 'email'], unique: true, where: '(deleted_at IS NULL)' },
    { name: 'customers_search_vector', synchronize: false },
  ],
})

const Order = new EntitySchema({
  name: 'Order',
  tableName: 'orders',
  columns: {
    id,
    tenant_id,
    customer_id: { type: 'bigint' },
    status: { type: 'text' },
    placed_by: { type: 'text', nullable: true },
    version: { type: 'bigint', default: 1 },
    created_at,
    updated_at,
    deleted_at,
  },
  relations: {
    customer: { type: 'many-to-one', target: 'Customer', joinColumn: { name: 'customer_id' }, onDelete: 'CASCADE' },
    items: { type: 'one-to-many', target: 'OrderItem', inverseSide: 'order' },
  },
  indices: [{ name: 'orders_tenant_id', columns: ['tenant_id'] }],
})

const OrderItem = new EntitySchema({
  name: 'OrderItem',
  tableName: 'order_items',
  columns: { id, tenant_id, order_id: { type: 'bigint' }, sku: { type: 'text' }, quantity: { type: 'integer' }, deleted_at },
  relations: {
    order: {
      type: 'many-to-one', target: 'Order', joinColumn: { name: 'order_id' }, onDelete: 'CASCADE', inverseSide: 'items',
    },
  },
  indices: [{ name: 'order_items_tenant_id', columns: ['tenant_id'] }],
})

const database = new DataSource({
  type: 'postgres',
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  username: process.env.PGUSER,
  database: process.env.PGDATABASE,
  entities: [Customer, Order, OrderItem],
  migrations: [`${__dirname}/migrations/*.js`],
  installExtensions: false,
  poolSize: 10,
})

function workingFor(token, work) {
  return database.transaction(async (manager) => {
    await manager.query('SELECT steward.tenant_login($1)', [token])
    return work(manager)
  })
}

// Writes what has changed, provided that the version is the one that was read, and reads what the server has filled in.
async function update(manager, order, changes) {
  const { raw } = await manager.createQueryBuilder().update(Order).set({ ...changes, version: order.version })
    .where({ id: order.id }).returning(['version', 'updated_at']).execute()
  return Object.assign(order, changes, raw[0])
}

module.exports = { Customer, Order, OrderItem, database, update, workingFor }
