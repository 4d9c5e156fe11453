import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ErrorDocument, Scratch, root } from '../support/amux.ts'

const run = promisify(execFile)
const npm = join(root, 'node_modules/npm/bin/npm-cli.js')

/** No address in there answers. */
const offline = { AMUX_NPM_REGISTRY: 'http://127.0.0.1:9/' }

describe('the Sprites provider, packed', function () {
  this.timeout(120_000)
  let scratch: Scratch
  let tarball = ''
  let files: readonly string[] = []

  before(async () => {
    scratch = await Scratch.make()
    const { stdout } = await run(process.execPath, [npm, 'pack', '--json', '--ignore-scripts', '--pack-destination', scratch.path], { cwd: join(root, 'plugins/provider-sprites') })
    const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>)
    tarball = join(scratch.path, packed?.filename ?? '')
    files = packed?.files.map(({ path }) => path) ?? []
  })
  after(() => scratch.dispose())

  it('holds what is run and the licence of what it was built with, and no source', () => {
    expect(files).to.include.members(['package.json', 'oclif.manifest.json', 'README.md', 'dist/register.js', 'dist/LICENSE-ws'])
    expect(files.filter((file) => file.endsWith('.ts') || file.includes('test'))).to.deep.equal([])
  })

  it('needs nothing else at run time', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'plugins/provider-sprites/package.json'), 'utf8')) as Record<string, unknown>
    expect(manifest).not.to.have.any.keys('dependencies', 'peerDependencies', 'devDependencies')
  })

  it('registers without loading more than the few helpers of its build', () => {
    const folder = join(root, 'plugins/provider-sprites/dist')
    const loaded = [...readFileSync(join(folder, 'register.js'), 'utf8').matchAll(/^import .*?"(.*)";$/gm)].map(([, path]) => readFileSync(join(folder, path ?? ''), 'utf8'))
    for (const text of loaded) expect([text.length < 4096, /^import /m.test(text)]).to.deep.equal([true, false])
  })

  it('is installed by amux, offline, and asks for its token', async () => {
    const installed = await scratch.run(['plugins', 'install', tarball], { env: offline })
    expect(installed.status, installed.stderr).to.equal(0)
    const { stdout } = await scratch.run(['provider', 'ls'])
    expect(stdout).to.match(/^sprites +Fly\.io Sprites/m)
    const without = { SPRITES_TOKEN: undefined, SPRITE_TOKEN: undefined, SPRITES_API_URL: undefined }
    const { status, document } = await scratch.json<ErrorDocument>(['computer', 'create', '-P', 'sprites'], { env: without })
    expect([status, document.error.code]).to.deep.equal([4, 'credential_missing'])
    expect(document.error.hint).to.include('SPRITES_TOKEN').and.include('amux provider login sprites')
  })

  it('brings its own commands, with help', async () => {
    expect((await scratch.run(['sprites', '--help'])).stdout).to.include('api').and.include('restart')
    expect((await scratch.run(['sprites', 'api', '--help'])).stdout).to.include('METHOD')
    expect((await scratch.run(['sprites', 'nonsense'])).status).to.equal(2)
  })
})
