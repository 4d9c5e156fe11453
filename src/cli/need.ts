import type { CapabilityId, ProviderDescriptor } from '../contract/index.ts'
import { foresee } from '../emulation/index.ts'
import { fail } from '../errors/index.ts'

/** Refuses a flag of `create` that this provider's computers cannot have, before anything is made or noted. */
export function needCapability({ id, capabilities }: Pick<ProviderDescriptor, 'id' | 'capabilities'>, needed: CapabilityId, flag: string): void {
  const { fidelity, note = 'its provider does not say why', workaround = `Leave ${flag} out.` } = foresee(capabilities)[needed]
  if (fidelity === 'unavailable') throw fail('unsupported', `${flag} cannot be had on ${id}: ${note}`, { hint: workaround, provider: id })
}
