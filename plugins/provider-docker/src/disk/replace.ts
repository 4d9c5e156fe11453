import type { ContainerInspectInfo } from 'dockerode'
import type { Client } from '../client.ts'
import { makeContainer } from '../create/container.ts'
import { withoutMissing } from '../create/project.ts'
import { discard, lookAt } from '../engine/container.ts'
import { isBeingMade, whileMaking } from '../engine/maker.ts'
import { fail, hasCode } from '../errors.ts'
import type { Meta } from '../meta.ts'
import { nextOf } from '../names.ts'

interface Replacement {
  /** Of all that it has itself. */
  image(): Promise<string>
  /** What that is made from, which is needed no more then. */
  readonly copy?: string
}

/**
 * A computer's container gives way to another one, made as `meta` says. The name that has until then is also what keeps
 * everybody else from doing the same: whoever was killed over it leaves it to the next one.
 */
export async function replace(client: Client, found: ContainerInspectInfo, meta: Meta, { image, copy }: Replacement): Promise<void> {
  const { name } = meta
  const begun = await lookAt(client, nextOf(name))
  if (begun && isBeingMade(begun)) throw beingReplaced(name)
  await whileMaking(name, async () => {
    if (begun) await discard(client, begun.Id)
    const own = await image()
    const project = meta.copied ? meta.project : withoutMissing(meta.project)
    const id = await makeContainer(client, { ...meta, ...(project && { project }), image: own, replaced: true }, nextOf(name)).catch((error: unknown) => {
      throw hasCode(error, 'already_exists') ? beingReplaced(name) : error
    })
    try {
      // Somebody else may have done it before that name was ours.
      const [now, there] = await Promise.all([lookAt(client, name), copy === undefined || lookAt(client, copy)])
      if (now?.Id !== found.Id || now.State.Running || !there) throw beingReplaced(name)
      await discard(client, found.Id)
    } catch (error) {
      // While that is there nothing is lost; where it is not, this one is all there is.
      if (await lookAt(client, found.Id)) await discard(client, id)
      throw error
    }
    if (copy !== undefined) await discard(client, copy)
    await takeName(client, id, name)
  })
}

/** The last step, which anybody may do who finds that it is missing. */
export async function takeName(client: Client, id: string, name: string): Promise<void> {
  await client.call((docker) => docker.getContainer(id).rename({ name })).catch(async (error: unknown) => {
    if ((await lookAt(client, name))?.Id !== id) throw error
  })
}

export function beingReplaced(name: string): Error {
  return fail('locked', `another amux puts what ${name} is to be in its place`, { computer: name, hint: 'Try again when that is done.' })
}
