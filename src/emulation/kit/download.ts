import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { fail } from '../../errors/index.ts'
import { tarEntry } from './untar.ts'

export interface PinnedPackage {
  readonly name: string
  readonly version: string
  /** `sha512-…` */
  readonly integrity: string
}

/** Gets the package from the user's npm registry, through npm, and writes its `bin/node`. */
export async function fetchNode(wanted: PinnedPackage, to: string, root: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'amux-node-'))
  try {
    const tarball = await pack(wanted, directory, root)
    await verify(tarball, wanted)
    const unpacked = createReadStream(tarball).pipe(createGunzip())
    await pipeline(Readable.from(tarEntry(unpacked, 'package/bin/node')), createWriteStream(to, { flags: 'wx' }))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function pack({ name, version }: PinnedPackage, directory: string, root: string): Promise<string> {
  const args = ['pack', `${name}@${version}`, '--pack-destination', directory, '--ignore-scripts', '--fetch-retries=1']
  const [program, first] = npm(root)
  await promisify(execFile)(program, [...first, ...args], { cwd: directory, timeout: 300_000 }).catch((cause: unknown) => {
    throw fail('unavailable', `${name}@${version} cannot be fetched from the npm registry`, {
      hint: 'A computer without Node needs it once. Check the network, or the registry: npm config get registry',
      source: 'transport',
      cause,
    })
  })
  const file = (await readdir(directory)).find((entry) => entry.endsWith('.tgz'))
  if (file === undefined) throw fail('failed', `npm fetched ${name}@${version} and left no file`)
  return join(directory, file)
}

/** The npm that comes with amux, else the one on PATH. */
function npm(root: string): [program: string, args: readonly string[]] {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('npm/package.json')
    return [process.execPath, [join(dirname(manifest), 'bin/npm-cli.js')]]
  } catch {
    return ['npm', []]
  }
}

export async function verify(file: string, { name, version, integrity }: PinnedPackage): Promise<void> {
  const hash = createHash('sha512')
  await pipeline(createReadStream(file), hash)
  if (`sha512-${hash.digest('base64')}` === integrity) return
  throw fail('corrupt', `${name}@${version} from the npm registry is not what amux was released with`, {
    hint: 'Somebody changed it, or the registry is broken: npm config get registry',
  })
}
