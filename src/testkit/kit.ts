import { createHash } from 'node:crypto'
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Esbuild from 'esbuild'
import type { GuestKit } from '../contract/index.ts'
import { guestKit } from '../emulation/index.ts'

const SOURCE = join(import.meta.dirname, '..', 'guest', 'main.ts')
const TOOLS = 'src/emulation/native/prebuilt'
/** Builds of older sources are kept that long: somebody may be testing with them. */
const KEEP_MS = 6 * 3_600_000
let built: Promise<GuestKit> | undefined

/** The guest to test with: amux's own as shipped; in amux's source tree one built from the sources as they are. */
export function testKit(): Promise<GuestKit> {
  return (built ??= existsSync(SOURCE) ? fromSource(join(import.meta.dirname, '..', '..')) : Promise.resolve(guestKit(join(import.meta.dirname, '..'))))
}

async function fromSource(root: string): Promise<GuestKit> {
  const cache = join(root, '.cache')
  const scripts = join(cache, `kit-${sourcesHash(root)}`)
  if (!existsSync(join(scripts, 'guest.js'))) await build(root, cache, scripts)
  return guestKit(root, { scripts, cache, tools: join(root, TOOLS) })
}

async function build(root: string, cache: string, scripts: string): Promise<void> {
  mkdirSync(cache, { recursive: true })
  const fresh = mkdtempSync(join(cache, 'new-'))
  try {
    // Not written out, so that no bundler takes the bundler along.
    const bundler: string = 'esbuild'
    const esbuild = (await import(bundler)) as typeof Esbuild
    await esbuild.build({
      absWorkingDir: root,
      entryPoints: { guest: 'src/guest/main.ts' },
      outdir: fresh,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node22',
      logLevel: 'warning',
      banner: { js: `import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);` },
    })
    writeFileSync(join(fresh, 'package.json'), '{"type":"module"}\n')
    cpSync(join(root, 'src/guest/native/prebuilt'), join(fresh, 'native'), { recursive: true })
    renameSync(fresh, scripts)
    for (const old of globSync('kit-*', { cwd: cache })) if (Date.now() - statSync(join(cache, old)).mtimeMs > KEEP_MS) rmSync(join(cache, old), { recursive: true, force: true })
  } catch (error) {
    if (!existsSync(join(scripts, 'guest.js'))) throw error
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

function sourcesHash(root: string): string {
  const hash = createHash('sha256')
  const files = globSync(['src/guest/**/*.ts', 'src/protocol/*.ts', 'src/guest/native/prebuilt/*'], { cwd: root }).toSorted()
  for (const file of files) hash.update(file).update('\0').update(readFileSync(join(root, file)))
  return hash.digest('hex').slice(0, 16)
}
