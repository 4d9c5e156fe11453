import type { ProviderDescriptor } from 'amux/provider'

/** Imports nothing at run time: it is loaded at every start of amux, the rest only when the provider is used. */
export const descriptor: ProviderDescriptor = {
  apiVersion: 1,
  id: 'example',
  title: 'Example: processes in directories',
  capabilities: {
    disk: { fidelity: 'native' },
    exec: { fidelity: 'native' },
    isolation: { fidelity: 'unavailable', note: 'programs see this whole machine', workaround: 'use it with programs you trust' },
    users: { fidelity: 'unavailable', note: 'programs run as you' },
  },
  connect: async ({ dataDir }) => (await import('./provider.ts')).openProvider(dataDir),
}

export default async () => descriptor
