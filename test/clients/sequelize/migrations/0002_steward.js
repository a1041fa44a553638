const { sql } = require('../../lib/steps')

exports.up = (schema) => schema.sequelize.query(sql('attach.sql'))
exports.down = (schema) => schema.sequelize.query(sql('detach.sql'))
