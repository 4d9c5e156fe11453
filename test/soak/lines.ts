import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

const MINUTES = Number(process.env['AMUX_SOAK_MINUTES'] ?? 60)
const PER_SECOND = 10_000

/** Counts aloud at a steady pace, in bursts of a tenth of a second. */
const program = `
  let next = 0
  const last = ${PER_SECOND * 60 * MINUTES}
  const burst = () => {
    let text = ''
    for (let i = 0; i < ${PER_SECOND / 10} && next < last; i++) text += 'line ' + next++ + '\\n'
    process.stdout.write(text)
    if (next < last) setTimeout(burst, 100)
  }
  burst()`

describe(`${MINUTES} minutes of ${PER_SECOND} lines a second`, () => {
  let scratch: Scratch

  before(async () => {
    scratch = await Scratch.make()
    const { status, stderr } = await scratch.run(['computer', 'create', '-P', 'local'])
    expect(status, stderr).to.equal(0)
  })
  after(() => disposeAll(scratch))

  it('brings every line, once and in order', async () => {
    const args = ['--', bin, 'computer', 'exec', '--', 'node', '-e', program]
    const client = spawn(process.execPath, args, { cwd: scratch.project, env: scratch.env(), stdio: ['ignore', 'pipe', 'inherit'] })
    let next = 0
    for await (const line of createInterface(client.stdout)) if (line !== `line ${next++}`) throw new Error(`${line} where line ${next - 1} was due`)
    if (client.exitCode === null) await once(client, 'exit')
    expect({ status: client.exitCode, next }).to.deep.equal({ status: 0, next: PER_SECOND * 60 * MINUTES })
  })
})
