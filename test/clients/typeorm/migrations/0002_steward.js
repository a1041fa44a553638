const { sql } = require('../../lib/steps')

exports.Steward1767225600002 = class {
  name = 'Steward1767225600002'

  up(queryRunner) {
    return queryRunner.query(sql('attach.sql'))
  }

  down(queryRunner) {
    return queryRunner.query(sql('detach.sql'))
  }
}
