import { expect } from 'chai'
import { describe, it, before, after } from 'mocha'
import { execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const npm = join(root, 'node_modules/npm/bin/npm-cli.js')

/** What a stranger does: takes the example out of the repository, installs a packed amux, builds, runs the suite. */
describe('the example provider, outside the workspace', function () {
  this.timeout(300_000)
  let scratch = ''
  let example = ''

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'amux-example-'))
    example = join(scratch, 'provider')
    cpSync(join(root, 'examples/provider-example'), example, { recursive: true, filter: (path) => !/\/(node_modules|dist)$/.test(path) })
    const tarball = await pack(root, scratch)
    const manifest = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> }
    // The compiler is not what is tested: it is linked, to save a download.
    manifest.devDependencies = { amux: `file:${tarball}`, typescript: linked('typescript'), '@types/node': linked('@types/node') }
    writeFileSync(join(example, 'package.json'), JSON.stringify(manifest))
    await run(process.execPath, [npm, 'install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', '--loglevel=error'], { cwd: example })
  })

  after(() => rmSync(scratch, { recursive: true, force: true }))

  it('has fewer than 150 lines', () => {
    const lines = globSync('src/*.ts', { cwd: example }).map((file) => readFileSync(join(example, file), 'utf8').trimEnd().split('\n').length)
    expect(lines.reduce((sum, count) => sum + count, 0)).to.be.lessThan(150)
  })

  it('type-checks against amux/provider, and builds', async () => {
    await run(process.execPath, [join(example, 'node_modules/typescript/bin/tsc')], { cwd: example })
    expect(existsSync(join(example, 'dist/register.js'))).to.equal(true)
    expect(readFileSync(join(example, 'dist/register.js'), 'utf8')).not.to.match(/^import /m)
  })

  it('needs nothing at run time', () => {
    const sources = globSync('dist/*.js', { cwd: example }).map((file) => readFileSync(join(example, file), 'utf8'))
    for (const [, from] of sources.flatMap((source) => Array.from(source.matchAll(/from '([^']+)'/g)))) expect(from).to.match(/^(node:|\.\/)/)
  })

  it('type-checks what it takes from amux/testkit', async () => {
    writeFileSync(join(example, 'src/check.ts'), `import { conformance, Faults, processProvider } from 'amux/testkit'\nconformance({ test: () => {} }, { descriptor: processProvider })\nexport const faults: Faults = new Faults()\n`)
    await run(process.execPath, [join(example, 'node_modules/typescript/bin/tsc'), '--noEmit'], { cwd: example })
    rmSync(join(example, 'src/check.ts'))
  })

  it('passes the conformance suite', async () => {
    const { status, output } = await nodeTest(example)
    const count = /^# pass (\d+)$/m.exec(output)?.[1]
    expect(status, failures(output)).to.equal(0)
    expect(Number(count), output.slice(-2000)).to.be.greaterThan(100)
    expect(output).to.match(/^# skipped 0$/m)
  })

  it('is installed by amux from its tarball', async () => {
    const tarball = await pack(example, scratch)
    const home = join(scratch, 'home')
    const env = { ...process.env, AMUX_HOME: home, npm_config_fetch_retries: '0' }
    await run(process.execPath, [join(root, 'bin/run.js'), 'plugins', 'install', tarball], { cwd: scratch, env })
    const { stdout } = await run(process.execPath, [join(root, 'bin/run.js'), 'provider', 'ls', '--json'], { cwd: scratch, env })
    expect(stdout).to.include('"example"')
  })
})

async function pack(directory: string, to: string): Promise<string> {
  const { stdout } = await run(process.execPath, [npm, 'pack', '--json', '--ignore-scripts', '--pack-destination', to], { cwd: directory, maxBuffer: 64 * 1024 * 1024 })
  const [first] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>)
  return join(to, first?.filename ?? '')
}

function linked(name: string): string {
  return `file:${join(root, 'node_modules', name)}`
}

function nodeTest(cwd: string): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(process.execPath, ['--test', '--test-reporter=tap', 'test/conformance.test.js'], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, output }))
  })
}

/** Each failed test with what it says of itself. */
function failures(tap: string): string {
  return tap.split(/^(?= *(?:not )?ok )/m).filter((part) => part.trimStart().startsWith('not ok')).join('\n')
}
