/** Builds everything that is shipped into dist/. `--quick` leaves out the type declarations and the manifest. */
import { build, type BuildOptions } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { apart, builtins, lazy, plainPlatform, withoutUnused } from './start-up.ts'

const root = join(import.meta.dirname, '..')
const final = join(root, 'dist')
const dist = join(root, `dist-${process.pid}`)
const quick = process.argv.includes('--quick')

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  logLevel: 'warning',
  // Bundled CommonJS packages use these three.
  banner: {
    js: [
      `const require=globalThis.process.getBuiltinModule('node:module').createRequire(import.meta.url)`,
      `const __filename=import.meta.filename,__dirname=import.meta.dirname;`,
    ].join(';'),
  },
  plugins: [builtins],
}

await mkdir(dist, { recursive: true })
try {
  await Promise.all([cli(), fast(), guest(), tools(), testkit(), local(), ...globSync('plugins/*/src/register.ts', { cwd: root }).map(plugin)])
  if (!quick) declarations()
  swap(dist, final)
} finally {
  rmSync(dist, { recursive: true, force: true })
}
if (!quick) for (const at of [root, ...published()]) await manifest(at)

/** A program that runs from dist/ meanwhile sees the old one whole, then the new one whole. */
function swap(made: string, to: string): void {
  const old = join(dirname(to), `dist-old-${process.pid}`)
  if (existsSync(to)) renameSync(to, old)
  renameSync(made, to)
  rmSync(old, { recursive: true, force: true })
}

/**
 * Every command file stays a file of its own, so that a start loads one; what they share goes to chunks/. The commands of
 * oclif's plugins are built in too: from their own packages they would bring a second oclif, and start half as fast.
 */
async function cli(): Promise<void> {
  const own = ['src/start.ts', 'src/main.ts', ...globSync('src/{commands,hooks}/**/*.ts', { cwd: root })]
  const adopted = globSync(['plugins/lib/commands/plugins', 'autocomplete/lib/{commands/autocomplete,hooks}'].map((folder) => `node_modules/@oclif/plugin-${folder}/*.js`), { cwd: root })
  const out = (file: string) => file.replace(/^(src|node_modules\/@oclif\/[^/]+\/lib)\//, '').replace(/\.[jt]s$/, '')
  await build({
    ...common,
    entryPoints: Object.fromEntries([...adopted, ...own].filter((file) => existsSync(join(root, file))).map((file) => [out(file), file])),
    outdir: dist,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    plugins: [builtins, lazy, apart, plainPlatform],
    // Less to read and to hash at each start; names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    // The TypeScript compiler would otherwise be pulled in through oclif's development mode; conf stays a package.
    external: ['typescript', 'ts-node', 'ts-node/*', 'conf'],
  })
}

/** In few files, rather than in the many that all the commands share. */
async function fast(): Promise<void> {
  await build({
    ...common,
    entryPoints: ['src/fast.ts'],
    outdir: dist,
    splitting: true,
    chunkNames: 'chunks/fast-[hash]',
    external: ['conf'],
  })
}

async function guest(): Promise<void> {
  const out = join(dist, 'guest')
  await build({
    ...common,
    entryPoints: { guest: 'src/guest/main.ts' },
    outdir: out,
    splitting: true,
    chunkNames: '[name]-[hash]',
  })
  await writeFile(join(out, 'package.json'), '{"type":"module"}\n')
  await cp(join(root, 'src/guest/native/prebuilt'), join(out, 'native'), { recursive: true })
}

/** Programs that work on a computer from outside. */
async function tools(): Promise<void> {
  await cp(join(root, 'src/emulation/native/prebuilt'), join(dist, 'tools'), { recursive: true })
}

async function testkit(): Promise<void> {
  if (!existsSync(join(root, 'src/testkit/index.ts'))) return
  await build({ ...common, entryPoints: ['src/testkit/index.ts'], outfile: join(dist, 'testkit.js') })
}

/** The bundled provider: built into the core package, registered by the core's own hook entry. */
async function local(): Promise<void> {
  const from = 'plugins/provider-local'
  if (!existsSync(join(root, from, 'src/register.ts'))) return
  const commands = globSync('src/commands/**/*.ts', { cwd: join(root, from) })
  await build({
    ...common,
    entryPoints: ['src/register.ts', ...commands].map((file) => join(from, file)),
    outdir: join(dist, from),
    outbase: join(from, 'src'),
    splitting: true,
    chunkNames: '[name]-[hash]',
    external: ['ws'],
  })
  for (const file of commands) await proxied(from, file.slice('src/'.length).replace(/\.ts$/, '.js'))
  const prebuilt = join(root, from, 'native/prebuilt')
  if (existsSync(prebuilt)) await cp(prebuilt, join(dist, from, 'native'), { recursive: true })
}

/** A command of the bundled provider stands among the core's. */
async function proxied(from: string, command: string): Promise<void> {
  const file = join(dist, command)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `export { default } from '${relative(dirname(file), join(dist, from, command))}'\n`)
}

/** A provider that is published by itself: with all it needs in its package, so that it installs without a registry. */
async function plugin(register: string): Promise<void> {
  const at = dirname(dirname(register))
  if (!published().includes(join(root, at))) return
  const made = join(root, at, `dist-${process.pid}`)
  const commands = globSync('src/commands/**/*.ts', { cwd: join(root, at) }).map((file) => join(at, file))
  try {
    // Apart: what is registered must load nothing, not even what it shares with the commands.
    for (const entryPoints of [[register], commands]) {
      await build({
        ...common,
        entryPoints,
        outdir: made,
        outbase: join(at, 'src'),
        splitting: true,
        chunkNames: 'chunks/[name]-[hash]',
        plugins: [builtins, withoutUnused],
        // Native helpers that ws does without.
        external: ['bufferutil', 'utf-8-validate'],
      })
    }
    for (const name of bundled(at)) await cp(join(root, 'node_modules', name, 'LICENSE'), join(made, `LICENSE-${name}`))
    swap(made, join(root, at, 'dist'))
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

/** Packages of others that go into a plugin's own. */
function bundled(at: string): string[] {
  const sources = globSync('src/**/*.ts', { cwd: join(root, at) }).map((file) => readFileSync(join(root, at, file), 'utf8'))
  return ['ws', 'dockerode', 'tar-stream'].filter((name) => sources.some((source) => new RegExp(`(from |import\\()'${name}'`).test(source)))
}

function published(): string[] {
  return globSync('plugins/*/package.json', { cwd: root })
    .filter((file) => !(JSON.parse(readFileSync(join(root, file), 'utf8')) as { private?: boolean }).private)
    .map((file) => join(root, dirname(file)))
}

function declarations(): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json', '--outDir', join(dist, 'types')], { cwd: root, stdio: 'inherit' })
}

/** oclif's manifest, so that a start reads one file instead of importing every command. */
async function manifest(at: string): Promise<void> {
  const { Plugin } = await import('@oclif/core/config')
  const plugin = new Plugin({ root: at, type: 'core', ignoreManifest: true, errorOnManifestCreate: true, respectNoCacheDefault: true })
  await plugin.load()
  const { version } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as { version: string }
  const file = join(at, 'oclif.manifest.json')
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify({ ...plugin.manifest, version }, null, 1)}\n`)
  renameSync(`${file}.${process.pid}`, file)
}
