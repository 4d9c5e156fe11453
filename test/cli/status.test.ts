import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { linkPlugins, registering } from '../support/plugins.ts'

interface Diagnosis {
  readonly ok: boolean
  readonly findings: readonly { readonly check: string; readonly state: string; readonly message: string }[]
}

describe('amux status and amux doctor', () => {
  let scratch: Scratch
  let record: string
  beforeEach(async () => {
    scratch = await Scratch.make()
    record = join(scratch.project, '.amux/computer.json')
    await mkdir(join(scratch.project, '.amux'))
  })
  afterEach(() => scratch.dispose())

  async function project(): Promise<{ readonly status: number | null; readonly state: string | undefined; readonly message: string }> {
    const { status, document } = await scratch.json<Diagnosis>(['doctor'])
    const finding = document.findings.find(({ check }) => check === 'project')
    return { status, state: finding?.state, message: finding?.message ?? '' }
  }

  it('say what to do where there is nothing yet', async () => {
    const { status, stdout } = await scratch.run(['status'])
    expect(status).to.equal(0)
    expect(stdout).to.include('amux computer create')
    expect(await project()).to.include({ status: 0, state: 'ok', message: 'no computer yet' })
  })

  it('say which variable chose the provider', async () => {
    const { document } = await scratch.json(['status'], { env: { AMUX_PROVIDER: 'local' } })
    expect(document).to.deep.include({ provider: { id: 'local', chosenBy: 'AMUX_PROVIDER' } })
  })

  const damaged: Readonly<Record<string, () => Promise<void>>> = {
    'is no JSON': () => writeFile(record, '{"version": 1, '),
    'is from a newer amux': () => writeFile(record, '{"version": 99}'),
    'lacks what it needs': () => writeFile(record, '{"version": 1}'),
    'is a directory': async () => {
      await mkdir(record)
    },
  }
  for (const [how, damage] of Object.entries(damaged)) {
    it(`name a record that ${how}, and leave it as it is`, async () => {
      await damage()
      const before = await readFile(record, 'utf8').catch((error: NodeJS.ErrnoException) => error.code)
      const { status, document } = await scratch.json<ErrorDocument>(['status'])
      expect(status).to.equal(1)
      expect(document.error.code).to.equal('corrupt')
      expect(document.error.message).to.include(record)
      const found = await project()
      expect(found).to.include({ status: 1, state: 'broken' })
      expect(found.message).to.include(record)
      expect(await readFile(record, 'utf8').catch((error: NodeJS.ErrnoException) => error.code)).to.equal(before)
    })
  }

  it('do not follow a record that somebody committed', async () => {
    const foreign = { version: 1, id: 'a'.repeat(32), path: scratch.project, provider: 'stranger', providers: { stranger: { current: 'theirs', computers: { theirs: { createdAt: '2026-01-01T00:00:00Z' } } } } }
    const met = join(scratch.path, 'met')
    const hook = `import { writeFileSync } from 'node:fs'\n${registering('stranger', `async connect() { writeFileSync(${JSON.stringify(met)}, ''); return {} },`)}`
    await linkPlugins(scratch.home, [{ name: 'stranger', hook }])
    await writeFile(record, JSON.stringify(foreign))
    const told = await scratch.json(['status'])
    expect(told.document).to.have.nested.property('untrusted.standing', 'foreign')
    expect(await readFile(met).catch((error: NodeJS.ErrnoException) => error.code), 'nobody was asked').to.equal('ENOENT')
    expect(await project()).to.include({ state: 'warning' })
    const { status, document } = await scratch.json<ErrorDocument>(['computer', 'info'])
    expect(status).to.equal(5)
    expect(document.error.code).to.equal('confirmation_required')
  })

  it('find a directory of amux that cannot be used', async () => {
    await rm(join(scratch.home, 'state'), { recursive: true, force: true })
    await writeFile(join(scratch.home, 'state'), 'a file where a directory should be')
    const { status, document } = await scratch.json<Diagnosis>(['doctor'])
    expect(status).to.equal(1)
    expect(document.findings.find(({ check }) => check === 'state directory')).to.include({ state: 'broken' })
  })
})
