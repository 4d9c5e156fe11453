import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { type PluginSource, linkPlugins, registering } from '../support/plugins.ts'

interface Row {
  readonly id?: string
  readonly plugin: string
  readonly ok: boolean
  readonly problem?: string
}

const good: PluginSource = { name: 'amux-provider-good', hook: registering('good') }

const bad: Readonly<Record<string, { readonly source: PluginSource; readonly says: RegExp }>> = {
  'throws on load': { source: { name: 'amux-provider-throws', hook: 'throw new Error("boom at load")' }, says: /boom at load/ },
  'throws in its hook': { source: { name: 'amux-provider-throws', hook: 'export default async () => { throw new Error("boom in hook") }' }, says: /boom in hook/ },
  'does not parse': { source: { name: 'amux-provider-syntax', hook: 'export default (' }, says: /failed to load/ },
  'hangs on load': { source: { name: 'amux-provider-hangs', hook: 'setInterval(() => {}, 1000); await new Promise(() => {})' }, says: /did not register within/ },
  'hangs in its hook': { source: { name: 'amux-provider-hangs', hook: 'export default () => new Promise(() => setInterval(() => {}, 1000))' }, says: /did not register within/ },
  'claims an id of amux': { source: { name: 'amux-provider-thief', hook: registering('local') }, says: /"local" is already taken by amux/ },
  'claims the id of an earlier plugin': { source: { name: 'amux-provider-zthief', hook: registering('good') }, says: /"good" is already taken by amux-provider-good/ },
  'speaks a newer API': { source: { name: 'amux-provider-newer', hook: registering('newer', 'apiVersion: 2,') }, says: /speaks provider API 2; this amux speaks 1/ },
  'speaks no version': { source: { name: 'amux-provider-old', hook: registering('old', 'apiVersion: undefined,') }, says: /speaks provider API/ },
  'has a malformed id': { source: { name: 'amux-provider-odd', hook: registering('Not An Id') }, says: /not of the form/ },
  'has no connect': { source: { name: 'amux-provider-odd', hook: registering('odd', 'connect: 1,') }, says: /no function connect/ },
  'declares capabilities malformed': { source: { name: 'amux-provider-odd', hook: registering('odd', 'capabilities: { disk: { fidelity: "superb" } },') }, says: /declares "disk" malformed/ },
  'returns nothing': { source: { name: 'amux-provider-null', hook: 'export default async () => undefined' }, says: /no provider descriptor/ },
  'exports no function': { source: { name: 'amux-provider-none', hook: 'export const x = 1' }, says: /no function/ },
}

describe('A plugin that is broken', () => {
  let scratch: Scratch
  beforeEach(async () => {
    scratch = await Scratch.make()
  })
  afterEach(() => scratch.dispose())

  for (const [how, { source, says }] of Object.entries(bad)) {
    it(`is named by provider ls and breaks nothing: it ${how}`, async () => {
      await linkPlugins(scratch.home, [source, good])
      const { status, document } = await scratch.json<Row[]>(['provider', 'ls'])
      expect(status).to.equal(0)
      expect(document.filter(({ ok }) => ok).map(({ id }) => id)).to.include.members(['good', 'local'])
      const broken = document.find(({ ok }) => !ok)
      expect(broken?.plugin).to.equal(source.name)
      expect(broken?.problem).to.match(says)
      const info = await scratch.run(['provider', 'info', 'good'])
      expect(info).to.include({ status: 0, stderr: '' })
    })
  }

  it('is named by doctor, whose exit status says so', async () => {
    await linkPlugins(scratch.home, [{ name: 'amux-provider-throws', hook: 'throw new Error("boom")' }, good])
    const { status, stdout } = await scratch.run(['doctor'])
    expect(status).to.equal(1)
    expect(stdout).to.match(/plugin amux-provider-throws\s+broken\s+.*boom/)
  })

  it('is the error of a command that needs just this one', async () => {
    await linkPlugins(scratch.home, [{ name: 'amux-provider-sprites', hook: 'throw new Error("boom")' }])
    const { status, document } = await scratch.json<ErrorDocument>(['provider', 'info', 'sprites'])
    expect(status).to.equal(4)
    expect(document.error).to.include({ code: 'provider_broken' })
    expect(document.error.message).to.include('boom')
  })

  it('whose directory is gone is named, and breaks nothing', async () => {
    await linkPlugins(scratch.home, [{ name: 'amux-provider-gone', hook: '' }, good])
    await rm(join(scratch.home, 'data/linked/amux-provider-gone'), { recursive: true })
    const { status, document } = await scratch.json<Row[]>(['provider', 'ls'])
    expect(status).to.equal(0)
    expect(document.find(({ ok }) => !ok)?.plugin).to.equal('amux-provider-gone')
    const other = await scratch.run(['--help'])
    expect(other).to.include({ status: 0, stderr: '' })
  })
})
