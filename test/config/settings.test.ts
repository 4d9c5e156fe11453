import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SettingSpec } from '../../src/contract/index.ts'
import { Settings } from '../../src/config/index.ts'
import { legacyVariables } from '../../src/registry/known.ts'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { linkPlugins, registering } from '../support/plugins.ts'

const specs: readonly SettingSpec[] = [
  { key: 'apiKey', summary: 'the key', env: ['CLOUD_API_KEY', 'CLOUD_KEY'], secret: true, required: true },
  { key: 'region', summary: 'where', env: ['CLOUD_REGION'] },
]
const told = "settings: [{ key: 'apiKey', summary: 'the key', env: ['CLOUD_API_KEY'], secret: true, required: true }, { key: 'region', summary: 'where' }],"

describe('What the user set', () => {
  let scratch: Scratch
  beforeEach(async () => {
    scratch = await Scratch.make()
    await mkdir(join(scratch.home, 'config'), { mode: 0o700 })
  })
  afterEach(() => scratch.dispose())

  const file = (name: string) => join(scratch.home, 'config', name)
  const write = (name: string, value: unknown) => writeFile(file(name), JSON.stringify(value), { mode: 0o600 })
  const read = async (name: string) => JSON.parse(await readFile(file(name), 'utf8')) as unknown
  const settings = (env: Readonly<Record<string, string>> = {}) => new Settings({ AMUX_HOME: scratch.home, ...env }).forProvider('cloud', specs, legacyVariables)

  it('is read from the files, secrets apart', async () => {
    await write('config.json', { providers: { cloud: { region: 'north', apiKey: 'not from here' } } })
    await write('credentials.json', { cloud: { apiKey: 'secret' } })
    expect(settings()).to.deep.include({ values: { apiKey: 'secret', region: 'north' }, missing: [], notes: [] })
    expect(settings().origins).to.deep.equal({ apiKey: 'credentials.json', region: 'config.json' })
  })

  it('is won by the environment, by the first variable of several', async () => {
    await write('credentials.json', { cloud: { apiKey: 'file' } })
    expect(settings({ CLOUD_KEY: 'second', CLOUD_API_KEY: 'first' }).values).to.deep.equal({ apiKey: 'first' })
    expect(settings({ CLOUD_API_KEY: '', CLOUD_KEY: 'second' }).values).to.deep.equal({ apiKey: 'second' })
  })

  it('is taken from the old variables too, with one line about it', () => {
    const { values, notes } = settings({ AMUX_CLOUD_API_KEY: 'old', AMUX_CLOUD_REGION: 'south' })
    expect(values).to.deep.equal({ apiKey: 'old', region: 'south' })
    expect(notes).to.deep.equal(['AMUX_CLOUD_API_KEY is an old name: use CLOUD_API_KEY', 'AMUX_CLOUD_REGION is an old name: use CLOUD_REGION'])
    const snapshot = new Settings({ AMUX_HOME: scratch.home, AMUX_SNAPSHOT_ID: 'x' }).forProvider('daytona', [{ key: 'snapshot', summary: '' }], legacyVariables)
    expect(snapshot.values).to.deep.equal({ snapshot: 'x' })
  })

  it('is missed by name', () => {
    expect(settings().missing.map(({ key }) => key)).to.deep.equal(['apiKey'])
  })

  it('is kept by login in files of the user alone, beside what is there, and forgotten by logout', async () => {
    await linkPlugins(scratch.home, [{ name: 'cloud', hook: registering('cloud', told) }])
    await write('config.json', { unknown: { key: 1 }, providers: { other: { x: 'y' } } })
    const login = await scratch.run(['provider', 'login', 'cloud'], { input: 's3cret\nnorth\n' })
    expect(login.status, login.stderr).to.equal(0)
    expect(login.stdout + login.stderr).not.to.include('s3cret')
    expect(await read('config.json')).to.deep.equal({ unknown: { key: 1 }, providers: { other: { x: 'y' }, cloud: { region: 'north' } } })
    expect(await read('credentials.json')).to.deep.equal({ cloud: { apiKey: 's3cret' } })
    for (const name of ['config.json', 'credentials.json']) expect((await stat(file(name))).mode & 0o777, name).to.equal(0o600)
    const info = await scratch.run(['provider', 'info', 'cloud', '--json'])
    expect(info.stdout).to.include('credentials.json').and.not.include('s3cret')
    const logout = await scratch.run(['provider', 'logout', 'cloud', '--yes'])
    expect(logout.status, logout.stderr).to.equal(0)
    expect(await read('config.json')).to.deep.equal({ unknown: { key: 1 }, providers: { other: { x: 'y' } } })
    expect(await read('credentials.json')).to.deep.equal({})
  })

  it('is asked for by name where a provider cannot do without', async () => {
    await linkPlugins(scratch.home, [{ name: 'cloud', hook: registering('cloud', told) }])
    const { status, document } = await scratch.json<ErrorDocument>(['computer', 'ls', '-P', 'cloud'])
    expect(status).to.equal(4)
    expect(document.error).to.include({ code: 'credential_missing', provider: 'cloud', hint: 'Set CLOUD_API_KEY, or run: amux provider login cloud' })
  })
})
