import type { ProviderDescriptor, ProviderHook } from '../../../src/contract/index.ts'

/** Computers on this Linux machine: no account, no engine. */
export const descriptor: ProviderDescriptor = {
  apiVersion: 1,
  id: 'local',
  title: 'This machine',
  createOptions: [{ name: 'root', type: 'string', summary: "Directory of a Linux system to start from, instead of this machine's own" }],
  capabilities: {
    disk: { fidelity: 'native' },
    isolation: { fidelity: 'native' },
    users: { fidelity: 'native' },
    'idle-stop': { fidelity: 'emulated', note: "by amux's guest, from within; off unless asked for" },
    publish: { fidelity: 'unavailable', note: 'nobody on this machine listens for it while no amux runs', workaround: 'amux computer proxy -p LOCAL:REMOTE' },
    checkpoints: { fidelity: 'emulated', note: 'by amux, from outside: copies only what changed, restores in place' },
    export: { fidelity: 'emulated', note: 'by amux: a tar of its own form, home and project for every computer, the system for those made over the same' },
    fork: { fidelity: 'emulated', note: 'by amux: a new computer like this one, with a copy of the disk of a checkpoint' },
    network: { fidelity: 'emulated', note: 'by amux, from outside: a name server and a packet filter for each computer' },
  },
  async connect(context) {
    const { LocalProvider } = await import('./provider.ts')
    return new LocalProvider(context)
  },
}

const hook: ProviderHook = async () => descriptor

export default hook
