import type { DeclaredCapabilities } from '../../../src/contract/index.ts'
import type { Meta } from './meta.ts'

const unprivileged: DeclaredCapabilities = {
  disk: {
    fidelity: 'emulated',
    note: 'home, /tmp and the project last; the system is this machine\'s own, read-only, so apt-get cannot install',
    workaround: 'npm i -g works; for system packages run amux as root',
  },
  users: { fidelity: 'unavailable', note: 'every program runs as you: the computer has one user and no sudo', workaround: 'run amux as root' },
}

/** What a computer of this tier falls short of. */
export function shortfalls(meta: Pick<Meta, 'tier'>): DeclaredCapabilities {
  return meta.tier === 'user' ? unprivileged : {}
}
