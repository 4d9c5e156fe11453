import type { Computer, ComputerInfo } from '../contract/index.ts'
import { type UnfinishedFork, forgetUnfinished } from '../config/index.ts'
import { fail } from '../errors/index.ts'

/** Of half a computer only that it is one can be seen, and it can be deleted. */
export function unfinished(provider: string, raw: Computer, fork: UnfinishedFork): Computer {
  const refuse = async (): Promise<never> => {
    throw fail('conflict', `${raw.name} cannot be used: ${problem(fork)}`, { hint: hint(raw.name, fork), provider, computer: raw.name })
  }
  return {
    name: raw.name,
    info: async () => unfinishedInfo(await raw.info(), fork),
    start: refuse,
    stop: (options) => raw.stop(options),
    async delete(options) {
      await raw.delete(options)
      await forgetUnfinished(provider, raw.name)
    },
    spawn: refuse,
    channel: refuse,
    aside: refuse,
    disk: refuse,
  }
}

export function unfinishedInfo(info: ComputerInfo, fork: UnfinishedFork): ComputerInfo {
  return { ...info, state: 'broken', problem: `${problem(fork)}. ${hint(info.name, fork)}` }
}

function problem({ origin }: UnfinishedFork): string {
  return `it is a fork${origin === '' ? '' : ` of ${origin}`} that is not finished`
}

function hint(name: string, { origin, checkpoint }: UnfinishedFork): string {
  const again = origin === '' ? '' : `If nobody is making it now, make it anew: amux computer fork ${name} -c ${origin} --checkpoint ${checkpoint}. `
  return `${again}To give it up: amux computer rm ${name}`
}
