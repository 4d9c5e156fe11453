import type { ProviderDescriptor } from '../../contract/index.ts'

/**
 * A provider with the required members and nothing else: a computer is a directory of this machine, its programs are
 * real processes. It isolates nothing, so it is for tests only.
 */
export const processProvider: ProviderDescriptor = {
  apiVersion: 1,
  id: 'process',
  title: 'Processes in directories (for tests)',
  capabilities: {
    disk: { fidelity: 'native' },
    exec: { fidelity: 'native' },
    isolation: { fidelity: 'unavailable', note: 'programs see this whole machine', workaround: 'use it for tests only' },
    users: { fidelity: 'unavailable', note: 'programs run as the user of the test' },
  },
  async connect(context) {
    const { ProcessProvider } = await import('./provider.ts')
    return new ProcessProvider(context)
  },
}
