import type { ContainerInspectInfo } from 'dockerode'
import type { AsideOptions, ByteSource, ConnectContext } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { fail } from '../errors.ts'
import { helperImage, inspectImage } from '../images/image.ts'
import type { Meta } from '../meta.ts'
import { type Helper, runHelper } from './helper.ts'

/** Of what one says, characters. */
const MOST = 70_000

interface Beside extends Pick<Helper, 'argv' | 'mounts' | 'attaches'>, Pick<AsideOptions, 'disk'> {
  /** Whose processes it sees. */
  readonly shares: ContainerInspectInfo | undefined
  failed(words: string): Error
}

/** What a disk's layer lies on; another where that image was removed. */
export async function standing(client: Client, meta: Meta): Promise<{ readonly id: string; readonly own: boolean }> {
  if (await inspectImage(client, meta.image)) return { id: meta.image, own: true }
  const other = await helperImage(client, meta.image)
  if (other !== undefined) return { id: other, own: false }
  throw fail('tool_missing', `the image of ${meta.name} is gone, and no other is there that could help`, { computer: meta.name, hint: `Get ${meta.imageName} again, or build the template: amux computer template build` })
}

/** One of amux's own programs in a container of its own, to its end: what it says. */
export async function runBeside(client: Client, meta: Meta, context: ConnectContext, { failed, disk, shares, ...rest }: Beside): Promise<string> {
  const image = (await standing(client, meta)).id
  const program = await runHelper(client, meta, context, { ...(disk && { disk }) }, { image, links: {}, beside: shares, shares: shares !== undefined, ...rest })
  const [said, words] = await Promise.all([textOf(program.stdout), textOf(program.stderr)])
  const { code, signal } = await program.exit
  if (code !== 0) throw failed(words.trim() || `its helper ended by ${signal ?? code}`)
  return said
}

async function textOf(source: ByteSource): Promise<string> {
  let text = ''
  for await (const chunk of source) text = (text + Buffer.from(chunk).toString()).slice(-MOST)
  return text
}
