import type { Capabilities, CapabilityId, Computer } from '../contract/index.ts'
import { fail } from '../errors/index.ts'

/**
 * What the core adds where this computer lets it, asked at every use: what is missing may have been installed meanwhile.
 * Elsewhere every use is refused with the reason. `iterated`: methods that give an async iterable.
 */
export function lacking<T extends object>(id: CapabilityId, capabilities: () => Promise<Capabilities>, { name }: Pick<Computer, 'name'>, iterated: readonly (keyof T)[], made: T): T {
  const check = async () => {
    const { fidelity, note, workaround } = (await capabilities())[id]
    if (fidelity === 'unavailable') throw fail('unsupported', `${name} has no ${words[id] ?? id}: ${note ?? 'its provider does not say why'}`, { hint: workaround })
  }
  return new Proxy(made, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key, target)
      if (typeof method !== 'function') return method
      const call = (args: unknown[]): unknown => Reflect.apply(method, target, args)
      return iterated.some((one) => one === key)
        ? (...args: unknown[]) => later(check, () => call(args) as AsyncIterable<unknown>)
        : async (...args: unknown[]) => (await check(), call(args))
    },
  })
}

const words: { readonly [id in CapabilityId]?: string } = { network: 'network policy', 'idle-stop': 'idle stop' }

async function* later(check: () => Promise<void>, make: () => AsyncIterable<unknown>): AsyncGenerator<unknown, void> {
  await check()
  yield* make()
}
