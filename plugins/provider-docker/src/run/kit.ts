import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { GuestKit } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { borrow, has, put } from '../engine/container.ts'
import type { TarEntry } from '../engine/tar.ts'
import { marks, type Meta } from '../meta.ts'
import { beside, inside, KIT_VOLUME } from '../names.ts'

/** Of this version and architecture, in the volume that all computers share. */
export function kitName({ version, toolsVersion }: Pick<GuestKit, 'version' | 'toolsVersion'>, arch: string): string {
  return `${version}-${toolsVersion}-${arch}`
}

export async function makeKitVolume(client: Client): Promise<void> {
  await client.call((docker) => docker.createVolume({ Name: KIT_VOLUME, Labels: marks('kit', 'kit') }))
}

/** Everything of amux that runs on its engine is there once for all computers. `id`: a computer's container. */
export async function ensureKit(client: Client, id: string, { image, arch, kit: first }: Pick<Meta, 'image' | 'arch' | 'kit'>, kit: GuestKit, progress: (message: string) => void): Promise<void> {
  const name = kitName(kit, arch)
  const [whole, begun] = await Promise.all([has(client, id, `${inside.kit}/${name}/complete`), has(client, id, `${inside.kit}/${first}/amux-init`)])
  if (whole && begun) return
  const files = whole ? [] : await kitFiles(kit, arch)
  // A computer's first process is of the amux that made it, and does the same ever since.
  const old = begun || first === name ? [] : [file('amux-init', await kit.init(arch), 0o755)]
  if (!whole) progress(`Copying amux's guest to the engine (${Math.round(files.reduce((sum, one) => sum + (one.from?.size ?? 0), 0) / 1e6)} MB, once)`)
  await borrow(client, image, [{ Type: 'volume', Source: KIT_VOLUME, Target: beside.kit }], async (filler) => {
    // The computer may be gone, which is no reason to write over what others run this moment.
    const there = await has(client, filler, `${beside.kit}/${name}/complete`)
    const missing = [...below(name, there ? [] : files), ...below(first, old)]
    if (missing.length > 0) await put(client, filler, beside.kit, missing)
  })
}

/** The last one says that all are there. */
async function kitFiles(kit: GuestKit, arch: string): Promise<TarEntry[]> {
  const [init, node, tools] = await Promise.all([kit.init(arch), kit.node(arch), kit.tools(arch)])
  const scripts = readdirSync(kit.scripts, { withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.endsWith('.map'))
  return [
    file('amux-init', init, 0o755),
    file('node', node, 0o755),
    ...scripts.map(({ name }) => file(name, join(kit.scripts, name), 0o644)),
    ...readdirSync(tools).map((name) => file(name, join(tools, name), 0o755)),
    { name: 'complete', mode: 0o644, content: '' },
  ]
}

function file(name: string, path: string, mode: number): TarEntry {
  return { name, mode, from: { path, size: statSync(path).size } }
}

function below(folder: string, files: readonly TarEntry[]): TarEntry[] {
  return files.length === 0 ? [] : [{ name: folder, mode: 0o755 }, ...files.map((one) => ({ ...one, name: `${folder}/${one.name}` }))]
}
