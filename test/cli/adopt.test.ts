import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'mocha'
import { expect } from 'chai'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'
import { FAR } from '../support/far.ts'
import { linkPlugins } from '../support/plugins.ts'

/** A computer that somebody made by other means. */
describe('a computer that amux did not make', () => {
  let amux: Scratch
  const elsewhere = () => join(amux.path, 'elsewhere')

  before(async () => {
    amux = await Scratch.make()
    await linkPlugins(amux.home, [{ name: 'amux-test-far', hook: FAR }])
    await amux.run(['computer', 'create', '-P', 'far', '--name', 'box'])
    const file = join(amux.home, 'data/providers/far/c/box/computer.json')
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), labels: {} }))
    rmSync(join(amux.project, '.amux'), { recursive: true })
    mkdirSync(elsewhere())
  })
  after(async () => {
    await amux.run(['computer', 'use', 'box', '-P', 'far', '--adopt', '--yes'])
    await disposeAll(amux)
  })

  const failing = async (args: string[], cwd = amux.project) => {
    const { status, document } = await amux.json<ErrorDocument>(['computer', ...args], { cwd })
    return { status, code: document.error.code, hint: document.error.hint }
  }

  it('is looked at, and otherwise left alone', async () => {
    expect((await amux.json<{ name: string }>(['computer', 'info', 'box', '-P', 'far'])).document.name).to.equal('box')
    for (const verb of ['stop', 'restart', 'rm']) {
      expect(await failing([verb, 'box', '-P', 'far', '--yes'])).to.deep.equal({ status: 6, code: 'conflict', hint: 'Give it to this project first: amux computer use box -P far --adopt' })
    }
  })

  it('is taken in only with --adopt, and once that is confirmed', async () => {
    expect(await failing(['use', 'box'])).to.include({ status: 6, code: 'conflict' })
    expect(await failing(['use', 'box', '--adopt'])).to.include({ status: 5, code: 'confirmation_required' })
    expect(await failing(['info'])).to.include({ status: 4, code: 'no_provider' })
    const { status, stdout } = await amux.run(['computer', 'use', 'box', '--adopt', '--yes'])
    expect({ status, stdout }).to.deep.equal({ status: 0, stdout: "box on far is this project's computer\n" })
    expect((await amux.run(['computer', 'stop'])).status).to.equal(0)
    expect((await amux.run(['computer', 'start'])).status).to.equal(0)
  })

  it('is still not another project’s', async () => {
    expect(await failing(['stop', 'box', '-P', 'far'], elsewhere())).to.include({ status: 6, code: 'conflict' })
  })

  it('that does not exist is not found, on whichever provider', async () => {
    expect(await failing(['use', 'no-such-box'])).to.include({ status: 3, code: 'not_found' })
    expect(await failing(['use', 'no-such-box', '-P', 'far'])).to.include({ status: 3, code: 'not_found' })
  })
})
