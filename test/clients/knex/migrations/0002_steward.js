const { sql } = require('../../lib/steps')

exports.up = (knex) => knex.raw(sql('attach.sql'))
exports.down = (knex) => knex.raw(sql('detach.sql'))
