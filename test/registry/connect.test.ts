import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { linkPlugins, registering } from '../support/plugins.ts'

const info = '{ name: "amux-x-1", state: "running", createdAt: "2026-01-01T00:00:00Z", labels: {} }'

/** A provider whose `connect` gives this object. */
function answering(id: string, provider: string): { readonly name: string; readonly hook: string } {
  const missing = 'async create() {}, async get() {},'
  return { name: `amux-provider-${id}`, hook: registering(id, `async connect() { return ${provider.replace('{', `{ ${missing}`)} },`) }
}

describe('A provider that answers', () => {
  let scratch: Scratch
  before(async () => {
    scratch = await Scratch.make()
    await linkPlugins(scratch.home, [
      answering('garbage', '{ async *list() { yield 42 }, async health() { return "fine" } }'),
      answering('halfway', `{ async *list() { yield ${info}; throw new Error("page 2 is gone") }, async health() { return { ok: false, message: "half", hint: "Wait." } } }`),
      answering('refusing', '{ async *list() { throw Object.assign(new Error("bad token"), { code: "unauthorized", hint: "Log in again." }) }, async health() { throw Object.assign(new Error("x"), { code: "ECONNREFUSED" }) } }'),
      answering('nobody', 'undefined'),
    ])
  })
  after(() => scratch.dispose())

  const cases: Readonly<Record<string, { readonly id: string; readonly exit: number; readonly code: string; readonly says: RegExp }>> = {
    'garbage': { id: 'garbage', exit: 1, code: 'corrupt', says: /answered garbage for info/ },
    'one page and then fails': { id: 'halfway', exit: 1, code: 'failed', says: /page 2 is gone/ },
    'that the token is bad': { id: 'refusing', exit: 4, code: 'unauthorized', says: /bad token/ },
    'connect with nothing': { id: 'nobody', exit: 4, code: 'provider_broken', says: /gave no provider/ },
  }
  for (const [what, { id, exit, code, says }] of Object.entries(cases)) {
    it(`${what} is an error that names it, never an empty list`, async () => {
      const { status, document } = await scratch.json<ErrorDocument>(['computer', 'ls', '-P', id])
      expect(document.error).to.include({ code, provider: id })
      expect(document.error.message).to.match(says)
      expect(status).to.equal(exit)
    })
  }

  it('badly for its health is a finding of doctor', async () => {
    const { status, document } = await scratch.json<{ findings: { check: string; state: string; message: string; hint?: string }[] }>(['doctor'])
    expect(status).to.equal(1)
    const of = (id: string) => document.findings.find(({ check }) => check === `provider ${id}`)
    expect(of('garbage')).to.include({ state: 'broken' })
    expect(of('halfway')).to.include({ state: 'broken', message: 'half', hint: 'Wait.' })
    expect(of('refusing')).to.include({ state: 'broken' })
    expect(of('nobody')).to.include({ state: 'broken' })
  })
})
