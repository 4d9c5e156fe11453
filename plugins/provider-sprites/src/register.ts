import type { ProviderDescriptor, ProviderHook } from '../../../src/contract/index.ts'

/** Computers on Fly.io Sprites, or on any server that speaks their API. */
export const descriptor: ProviderDescriptor = {
  apiVersion: 1,
  id: 'sprites',
  title: 'Fly.io Sprites',
  settings: [
    { key: 'token', summary: 'API token of an organization, from sprites.dev/account', env: ['SPRITES_TOKEN', 'SPRITE_TOKEN'], secret: true, required: true },
    { key: 'url', summary: 'Address of the API. Default: https://api.sprites.dev', env: ['SPRITES_API_URL'] },
  ],
  capabilities: {
    disk: { fidelity: 'native' },
    exec: { fidelity: 'native' },
    tty: { fidelity: 'native' },
    sessions: { fidelity: 'native', note: 'log and exit status are kept by a recorder of amux on the sprite: the service forgets both' },
    files: { fidelity: 'native' },
    archive: { fidelity: 'emulated', note: "through the file API and the sprite's own tar, with size and hash checked" },
    tunnel: { fidelity: 'native', note: 'the end of one direction is the end of both' },
    ports: { fidelity: 'native' },
    idle: { fidelity: 'emulated', note: 'by what its sessions did last: the service does not tell' },
    'idle-stop': { fidelity: 'unavailable', note: 'sprites hibernate by themselves when nothing uses them, and wake when something does; the service sets the time' },
    checkpoints: { fidelity: 'native', note: 'the newest five can be looked into; a restore takes a safety point first, by amux' },
    export: { fidelity: 'unavailable', note: 'the service does not give checkpoints out', workaround: 'copy the files: amux computer cp' },
    fork: { fidelity: 'unavailable', note: 'the service makes sprites from its own image only', workaround: 'make another for this project: amux computer create --new' },
    network: { fidelity: 'native', note: 'the service keeps no log of what a policy refused' },
    services: { fidelity: 'native' },
    url: { fidelity: 'native' },
    publish: { fidelity: 'unavailable', note: 'a sprite is elsewhere: it has a URL, and ports are passed on by amux', workaround: 'amux computer url, or amux computer proxy -p LOCAL:REMOTE' },
    isolation: { fidelity: 'native' },
    users: { fidelity: 'emulated', note: 'through sudo on the sprite' },
    desktop: { fidelity: 'unavailable', note: 'sprites have no screen' },
  },
  async connect(context) {
    const { connectSprites } = await import('./provider.ts')
    return connectSprites(context)
  },
}

const hook: ProviderHook = async () => descriptor

export default hook
