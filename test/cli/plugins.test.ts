import { expect } from 'chai'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { mkdir, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { type ErrorDocument, type RunOptions, Scratch } from '../support/amux.ts'
import { type TestRegistry, servePackages, serveSilence } from '../support/npm-registry.ts'
import { keeping, packPlugin, registering } from '../support/plugins.ts'

/** No address in there answers: whatever works, works offline. */
const offline: RunOptions['env'] = { AMUX_NPM_REGISTRY: 'http://127.0.0.1:9/' }

describe('amux plugins install', function () {
  this.timeout(60_000)
  let shelf: Scratch
  let scratch: Scratch
  let tarball: string
  before(async () => {
    shelf = await Scratch.make()
    tarball = await packPlugin(shelf.project, { name: '@someone/amux-provider-cloud', hook: registering('cloud') })
  })
  after(() => shelf.dispose())
  beforeEach(async () => {
    scratch = await Scratch.make()
  })
  afterEach(() => scratch.dispose())

  async function installed(): Promise<void> {
    const { status, document } = await scratch.json<{ id: string; plugin: { name: string } }>(['provider', 'info', 'cloud'])
    expect(status).to.equal(0)
    expect(document.plugin.name).to.equal('@someone/amux-provider-cloud')
  }

  const spellings: Readonly<Record<string, () => { readonly word: string; readonly cwd?: string }>> = {
    './x.tgz': () => ({ word: `./${basename(tarball)}`, cwd: dirname(tarball) }),
    'x.tgz': () => ({ word: basename(tarball), cwd: dirname(tarball) }),
    '../dir/x.tgz': () => ({ word: `../${basename(dirname(tarball))}/${basename(tarball)}`, cwd: dirname(tarball) }),
    'an absolute path': () => ({ word: tarball }),
    'file:./x.tgz': () => ({ word: `file:./${basename(tarball)}`, cwd: dirname(tarball) }),
    'a directory': () => ({ word: './@someone-amux-provider-cloud', cwd: dirname(tarball) }),
  }
  for (const [how, where] of Object.entries(spellings)) {
    it(`takes ${how}, offline`, async () => {
      const { word, cwd } = where()
      const ran = await scratch.run(['plugins', 'install', word], { env: offline, ...(cwd === undefined ? {} : { cwd }) })
      expect(ran.status, ran.stderr).to.equal(0)
      await installed()
    })
  }

  it('takes a name from a registry, and forgets the plugin again', async () => {
    const registry = await servePackages([{ name: '@someone/amux-provider-cloud', version: '1.0.0', tarball }])
    try {
      const env = { AMUX_NPM_REGISTRY: registry.url }
      const ran = await scratch.run(['plugins', 'install', '@someone/amux-provider-cloud'], { env })
      expect(ran.status, ran.stderr).to.equal(0)
      await installed()
      const removed = await scratch.run(['plugins', 'uninstall', '@someone/amux-provider-cloud'], { env })
      expect(removed.status, removed.stderr).to.equal(0)
      const { status } = await scratch.json(['provider', 'info', 'cloud'])
      expect(status).to.equal(4)
    } finally {
      await registry.close()
    }
  })

  it('says of a package that the registry does not have that it does not have it', async () => {
    const registry = await servePackages([])
    try {
      const { status, document } = await scratch.json<ErrorDocument>(['plugins', 'install', 'amux-provider-nowhere'], { env: { AMUX_NPM_REGISTRY: registry.url } })
      expect(status).to.equal(3)
      expect(document.error).to.include({ code: 'not_found' })
      expect(document.error.message).to.include('amux-provider-nowhere')
    } finally {
      await registry.close()
    }
  })

  describe('from a registry that does not answer', () => {
    let silent: TestRegistry
    before(async () => {
      silent = await serveSilence()
    })
    after(() => silent.close())

    const addresses: Readonly<Record<string, () => string>> = {
      'stays silent': () => silent.url,
      'refuses connections': () => 'http://127.0.0.1:9/',
      'has no address': () => 'http://registry.invalid/',
    }
    for (const [how, address] of Object.entries(addresses)) {
      it(`says so soon: it ${how}`, async () => {
        const { status, document } = await scratch.json<ErrorDocument>(['plugins', 'install', 'amux-provider-cloud'], { env: { AMUX_NPM_REGISTRY: address() } })
        expect(status).to.equal(7)
        expect(document.error).to.include({ code: 'unavailable', source: 'transport' })
        expect(document.error.message).to.match(/registry .* does not answer/)
      })
    }
  })

  it('says nothing of what npm says when all is well, and lists what is there', async () => {
    const ran = await scratch.run(['plugins', 'install', tarball], { env: offline })
    expect(ran).to.include({ status: 0, stdout: '' })
    expect(ran.stderr).to.match(/^amux: Installing plugin .* installed v1\.0\.0\n$/).and.not.match(/npm/)
    const { document } = await scratch.json(['plugins'])
    expect(document).to.deep.equal([{ name: '@someone/amux-provider-cloud', version: '1.0.0', providers: ['cloud'], commands: 0, from: tarball }])
    expect((await scratch.run(['plugins'])).stdout).to.match(/^NAME +VERSION +PROVIDERS +FROM\n@someone\/amux-provider-cloud +1\.0\.0 +cloud /)
    expect((await scratch.run(['plugins', '-q'])).stdout).to.equal('@someone/amux-provider-cloud\n')
  })

  it('names the command that brings back a plugin that was removed while the project has a computer there', async () => {
    const file = await packPlugin(scratch.path, { name: 'amux-provider-gone', hook: keeping('gone') })
    expect((await scratch.run(['plugins', 'install', file], { env: offline })).status).to.equal(0)
    const { stdout } = await scratch.run(['computer', 'create', '-P', 'gone'])
    expect((await scratch.run(['plugins', 'uninstall', 'amux-provider-gone'], { env: offline })).status).to.equal(0)
    const ran = await scratch.run(['computer', 'ls'])
    expect(ran.status).to.equal(4)
    expect(ran.stdout).to.match(new RegExp(`^\\* +${stdout.trim()} +gone +unknown`, 'm'))
    expect(ran.stderr).to.include('provider gone is not installed').and.include(`Install it: amux plugins install ${file}\n`)
  })

  it('fails where what was installed does not work, and says so in its list', async () => {
    const file = await packPlugin(scratch.path, { name: 'amux-provider-bad', hook: 'throw new Error("no luck")' })
    const { status, document } = await scratch.json<ErrorDocument>(['plugins', 'install', file], { env: offline })
    expect(status).to.equal(4)
    expect(document.error.message).to.match(/^amux-provider-bad is installed, but does not work: .*no luck$/)
    expect(document.error.hint).to.match(/amux plugins uninstall amux-provider-bad/)
    expect((await scratch.run(['plugins'])).stdout).to.match(/amux-provider-bad .*no luck/)
  })

  it('says of a directory without a plugin that there is none to link', async () => {
    const { status, document } = await scratch.json<ErrorDocument>(['plugins', 'link', '/nowhere'])
    expect(status).to.equal(3)
    expect(document.error.message).to.equal('there is no plugin in /nowhere')
  })

  it('says of a path without a file that there is none', async () => {
    const { status, document } = await scratch.json<ErrorDocument>(['plugins', 'install', './nothing.tgz'], { env: offline })
    expect(status).to.equal(3)
    expect(document.error.message).to.match(/there is no file .*nothing\.tgz/)
  })

  it('says of a file that is no package that it cannot be installed', async () => {
    await mkdir(`${scratch.project}/empty`)
    const ran = await scratch.run(['plugins', 'install', './empty'], { env: offline })
    expect(ran.status).to.equal(1)
    expect(ran.stderr).to.match(/^amux: /m)
    expect(ran.stderr).not.to.match(/^\s+at /m)
    await rm(`${scratch.project}/empty`, { recursive: true })
  })
})
