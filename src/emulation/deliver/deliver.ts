import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Computer, GuestKit } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import type { GuestConfig } from '../../protocol/index.ts'
import { bytes } from '../../util/streams.ts'
import { kitFiles } from '../kit/kit.ts'
import { isNewEnough } from '../kit/node.ts'
import type { Probe } from './probe.ts'
import { run } from './run.ts'
import { place, start, stop, supervisor, unpack } from './scripts.ts'

export interface DeliverOptions {
  readonly kit: GuestKit
  progress(message: string): void
  readonly signal?: AbortSignal | undefined
}

/** Brings the guest to a computer that was probed, and starts it. What is there already is used. */
export async function deliver(computer: Computer, probe: Probe, options: DeliverOptions): Promise<void> {
  const kit = `${probe.store}/kits/${options.kit.version}`
  const node = await ensureNode(computer, probe, options)
  if (!probe.hasKit) await copyKit(computer, probe, kit, node, options)
  const config = Buffer.from(JSON.stringify(configFor(probe, options.kit.version, await workspaceOf(computer))))
  const argv = ['sh', '-c', start, 'sh', probe.store, probe.run, kit, node, String(config.length)]
  await must(computer, argv, 'the guest does not start', bytes(config), options.signal)
}

/** Ends a guest by its own word, and its supervisor, which would only start the same one again. */
export async function endGuest(computer: Computer, pid: number, exit: () => Promise<void>): Promise<void> {
  const { stdout } = await run(computer, ['sh', '-c', supervisor, 'sh', String(pid)])
  await exit()
  const init = stdout.toString().trim()
  if (init !== '') await must(computer, ['sh', '-c', stop, 'sh', init], 'the old guest does not end')
}

async function ensureNode(computer: Computer, probe: Probe, { kit, progress, signal }: DeliverOptions): Promise<string> {
  if (probe.node !== undefined && isNewEnough(probe.node.version)) return probe.node.path
  if (!probe.glibc) {
    throw fail('tool_missing', 'the computer has no Node 22.12 or newer, and amux has none for systems without glibc', {
      hint: 'Install it there, on Alpine with: apk add nodejs',
      computer: computer.name,
    })
  }
  const file = await kit.node(probe.arch)
  const path = `${probe.store}/node/${versionOf(file)}/node`
  if (probe.delivered.includes(path)) return path
  const { size } = await stat(file)
  progress(`copying Node to ${computer.name} (${Math.round(size / 1e6)} MB, once)`)
  await must(computer, ['sh', '-c', place, 'sh', path, String(size)], 'Node cannot be copied', createReadStream(file), signal)
  return path
}

async function copyKit(computer: Computer, probe: Probe, to: string, node: string, { kit, progress, signal }: DeliverOptions): Promise<void> {
  progress(`preparing ${computer.name}`)
  const names = kitFiles(kit.scripts)
  const contents = await Promise.all(names.map((name) => readFile(join(kit.scripts, name))))
  const init = await readFile(await kit.init(probe.arch))
  const list = [
    { name: 'amux-init', size: init.length, mode: 0o755 },
    ...names.map((name, index) => ({ name, size: contents[index]?.length ?? 0, mode: 0o644 })),
  ]
  const head = Buffer.from(`${JSON.stringify(list)}\n`)
  await must(computer, [node, '-e', unpack, to], 'the guest cannot be copied', bytes(head, init, ...contents), signal)
}

function configFor(probe: Probe, version: string, workspace: string | undefined): GuestConfig {
  const { store, run, user, env } = probe
  return { store, run, version, user, env, path: [], ...(workspace !== undefined && { workspace }) }
}

async function workspaceOf(computer: Computer): Promise<string | undefined> {
  return (await computer.info()).workspace
}

async function must(computer: Computer, argv: readonly string[], what: string, input?: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
  const { code, stderr } = await run(computer, argv, input, signal)
  if (code === 0) return
  const full = /no space left|disk quota/i.test(stderr)
  throw fail(full ? 'quota_exceeded' : 'failed', `${what}: ${stderr === '' ? `status ${code}` : stderr}`, { computer: computer.name })
}

/** The cache keeps each Node in a directory named by version and architecture. */
function versionOf(file: string): string {
  return dirname(file).split('/').at(-1) ?? 'node'
}

