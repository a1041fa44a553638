// What the shops written in JavaScript share: steps that print how they went, and eight tenants at the same time.
const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')

const tokens = process.env.TOKENS.split(/\s+/)

// What a request throws to have all that it did taken back.
class TakenBack extends Error {}

// Runs the function, and prints whether that went well.
async function step(name, work) {
  try {
    await work()
    console.log(`ok ${name}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`FAILED ${name}\n${error.stack}`)
  }
}

// Has orders placed for eight tenants at the same time, for each of them 20 that stay, ten of them paid, and 5 that are
// taken back. place(token, user, isPaid, isTakenBack) places one in a transaction; visible(token) returns the tenants of
// all orders that can be seen.
function eightTenants(place, visible) {
  return step('each of eight tenants sees its own rows', () =>
    Promise.all(tokens.map(async (token, n) => {
      for (let i = 0; i < 25; i++) {
        await place(token, `user_${n + 1}`, i % 5 < 2, i % 5 === 4).catch((error) => {
          if (!(error instanceof TakenBack)) throw error
        })
        const seen = new Set(await visible(token))
        assert.deepEqual([...seen].map(Number), [n + 1])
      }
    }))
  )
}

// Reads an SQL file of this folder.
function sql(name) {
  return readFileSync(path.join(__dirname, name), 'utf8')
}

// Runs the command that the command line names, and then end().
async function main(commands, end) {
  try {
    await commands[process.argv[2]]()
  } finally {
    await end()
  }
}

module.exports = { TakenBack, assert, eightTenants, main, sql, step, tokens }
