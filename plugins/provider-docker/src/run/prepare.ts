import { createHash } from 'node:crypto'
import type { ConnectContext } from '../../../../src/contract/index.ts'
import type { GuestConfig } from '../../../../src/protocol/index.ts'
import type { Client } from '../client.ts'
import { has, linkOf, put, takeFile } from '../engine/container.ts'
import type { TarEntry } from '../engine/tar.ts'
import { fail } from '../errors.ts'
import { kitName } from './kit.ts'
import type { Meta } from '../meta.ts'
import { inside } from '../names.ts'

type Environment = Readonly<Record<string, string>>

const LOADERS: Readonly<Record<string, string>> = { x64: '/lib64/ld-linux-x86-64.so.2', arm64: '/lib/ld-linux-aarch64.so.1' }
/** Where there is musl, a Node that was built for it. */
const MUSL: Readonly<Record<string, string>> = { x64: '/lib/ld-musl-x86_64.so.1', arm64: '/lib/ld-musl-aarch64.so.1' }
const NODES = ['/usr/local/bin/node', '/usr/bin/node'] as const

/** What the guest of this amux is started by, on that computer. Undefined: it has nothing that could. */
export async function guestNode(client: Client, id: string, meta: Meta, kit: string): Promise<string | undefined> {
  const loader = LOADERS[meta.arch]
  if (loader !== undefined && (await has(client, id, loader))) return `${inside.kit}/${kit}/node`
  // A Node that nothing can load any more is none.
  const musl = MUSL[meta.arch]
  if (musl === undefined || !(await has(client, id, musl))) return undefined
  for (const path of NODES) if (await has(client, id, path)) return path
  return undefined
}

export function noNode(name: string): Error {
  return fail('tool_missing', `${name} has no Node 22.12 or newer, and amux has none for systems without glibc`, { computer: name, hint: 'Install it there, on Alpine with: apk add nodejs. Where it had one, go back: amux computer checkpoint restore ID' })
}

/** The environment it was created with, over its image's. */
export async function readEnvironment(client: Client, id: string): Promise<Environment> {
  const text = await takeFile(client, id, inside.env)
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return Object.fromEntries(Object.entries(value instanceof Object ? value : {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch {
    return {}
  }
}

interface Prepared {
  /** Names this state of them. */
  readonly fingerprint: string
  files(env: Environment): TarEntry[]
}

/** What the guest is started with. Which state is there already, its link tells: to unpack takes an engine a while. */
export function preparation(meta: Meta, { guest }: Pick<ConnectContext, 'guest'>, node: string): Prepared {
  const kit = kitName(guest, meta.arch)
  const config: Omit<GuestConfig, 'env'> = {
    store: inside.store,
    run: inside.run,
    version: guest.version,
    user: meta.user,
    // Where its programs are root, that is you: you are root here, or the engine is yours alone.
    owner: meta.user.uid === 0 ? { uid: 0, gid: 0 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    ...(meta.project && { workspace: meta.project.path }),
    path: [`${meta.user.home}/.local/bin`],
  }
  const command = [`${inside.kit}/${kit}/amux-init`, 'run', `${inside.store}/guest.json`, '--', node, `${inside.kit}/${kit}/guest.js`]
  const fingerprint = createHash('sha256').update(JSON.stringify({ config, command })).digest('hex').slice(0, 16)
  return {
    fingerprint,
    files: (env) => [
      { name: 'guest.json', mode: 0o600, content: JSON.stringify({ ...config, env }) },
      { name: `boot-${fingerprint}`, mode: 0o600, content: command.map((word) => `${word}\0`).join('') },
      { name: 'boot', mode: 0o777, link: `boot-${fingerprint}` },
    ],
  }
}

export async function prepare(client: Client, id: string, meta: Meta, context: ConnectContext, node: string): Promise<void> {
  const { fingerprint, files } = preparation(meta, context, node)
  if ((await linkOf(client, id, inside.boot))?.endsWith(`/boot-${fingerprint}`)) return
  await put(client, id, inside.store, files(await readEnvironment(client, id)))
}
