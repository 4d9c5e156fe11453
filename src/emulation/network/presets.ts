import type { NetworkPolicy } from '../../contract/index.ts'

/** Policies that have a name. */
export const presets = {
  open: { rules: [] },
  none: { rules: [{ domain: '*', action: 'deny' }] },
  defaults: { rules: [{ include: 'defaults' }] },
} as const satisfies Readonly<Record<string, NetworkPolicy>>

export function findPreset(name: string): NetworkPolicy | undefined {
  return Object.hasOwn(presets, name) ? presets[name as keyof typeof presets] : undefined
}
