function stamps(knex, table) {
  table.timestamp('created_at').notNullable().defaultTo(knex.fn.now())
  table.timestamp('updated_at').notNullable().defaultTo(knex.fn.now())
  table.timestamp('deleted_at')
}

exports.up = async (knex) => {
  await knex.schema.createTable('customers', (table) => {
    table.bigIncrements('id')
    table.bigInteger('tenant_id').notNullable().index()
    table.text('email').notNullable()
    table.text('name').notNullable()
    stamps(knex, table)
    table.specificType('search_vector', 'tsvector').index(undefined, 'gin')
    table.unique(['tenant_id', 'email'], { useConstraint: false, predicate: knex.whereNull('deleted_at') })
  })
  await knex.schema.createTable('orders', (table) => {
    table.bigIncrements('id')
    table.bigInteger('tenant_id').notNullable().index()
    table.bigInteger('customer_id').notNullable().index().references('customers.id').onDelete('CASCADE')
    table.text('status').notNullable()
    table.text('placed_by')
    table.bigInteger('version').notNullable().defaultTo(1)
    stamps(knex, table)
  })
  await knex.schema.createTable('order_items', (table) => {
    table.bigIncrements('id')
    table.bigInteger('tenant_id').notNullable().index()
    table.bigInteger('order_id').notNullable().index().references('orders.id').onDelete('CASCADE')
    table.text('sku').notNullable()
    table.integer('quantity').notNullable()
    table.timestamp('deleted_at')
  })
}

exports.down = async (knex) => {
  for (const table of ['order_items', 'orders', 'customers']) await knex.schema.dropTable(table)
}
