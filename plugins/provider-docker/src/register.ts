import type { ProviderDescriptor, ProviderHook } from '../../../src/contract/index.ts'

/** Computers as containers of a Docker Engine, here or elsewhere. */
export const descriptor: ProviderDescriptor = {
  apiVersion: 1,
  id: 'docker',
  title: 'Docker',
  settings: [
    { key: 'host', summary: 'Address of the engine: unix:///PATH, tcp://HOST:PORT, ssh://HOST. Default: where the docker command finds it', env: ['DOCKER_HOST'] },
    { key: 'context', summary: "The docker command's context to use, where no host is given. Default: the chosen one", env: ['DOCKER_CONTEXT'] },
  ],
  createOptions: [
    { name: 'image', type: 'string', summary: 'Image to start from. Default: the template that amux built' },
    { name: 'cpus', type: 'number', summary: 'How many processors it may use, such as 1.5' },
    { name: 'memory', type: 'string', summary: 'How much memory it may use, such as 4g' },
  ],
  capabilities: {
    disk: { fidelity: 'native' },
    isolation: { fidelity: 'native' },
    users: { fidelity: 'native' },
    'idle-stop': { fidelity: 'emulated', note: "by amux's guest, from within; off unless asked for" },
    publish: { fidelity: 'native' },
    checkpoints: { fidelity: 'emulated', note: 'by amux, from outside: copies only what changed, restores in place' },
    export: { fidelity: 'emulated', note: 'by amux: a tar of its own form, home and project for every computer, the system for those made over the same' },
    fork: { fidelity: 'emulated', note: 'by amux: a new computer like this one, with a copy of the disk of a checkpoint' },
    network: { fidelity: 'emulated', note: 'by amux, from outside: a name server and a packet filter for each computer' },
  },
  async connect(context) {
    const { DockerProvider } = await import('./provider.ts')
    return new DockerProvider(context)
  },
}

const hook: ProviderHook = async () => descriptor

export default hook
