import { dirname, join } from 'node:path'
import type { Computer, EquippedComputer, GuestKit, Process, ProviderDescriptor, SpawnOptions } from '../contract/index.ts'
import { hasCode } from '../errors/index.ts'
import { Place } from '../protocol/index.ts'
import { merge } from './capabilities.ts'
import { DiskCheckpoints, recover } from './checkpoints/index.ts'
import { Fork } from './fork.ts'
import { GuestClient } from './client/index.ts'
import type { Endpoint } from './endpoint.ts'
import { guestIdleStop, sleptBecause } from './idle.ts'
import { named } from './named.ts'
import { PolicyNetwork } from './network/index.ts'
import { Reach } from './reach.ts'
import { lacking } from './unavailable.ts'

export interface EquipOptions {
  readonly descriptor: Pick<ProviderDescriptor, 'id' | 'capabilities'>
  readonly kit: GuestKit
  /** Of amux, for what it writes. */
  readonly version?: string
  progress?(message: string): void
  /** Something people should know, though nothing failed. */
  note?(message: string): void
  debug?(message: string): void
  /** Told when a session's connection broke, and when it is back. */
  onConnection?(state: 'lost' | 'back'): void
  /** Told where on this machine the guest answered: for the hot way in. */
  onEndpoint?(endpoint: Endpoint): void
  onClosed?(): void
}

export interface Equipped extends EquippedComputer {
  /** For the hot way in: notes where a guest of its own answers, if that is on this machine. */
  meet(): Promise<void>
}

/** Adds to a computer what its provider does not give. */
export function equip(raw: Computer, options: EquipOptions): Equipped {
  const { descriptor } = options
  const details = { provider: descriptor.id, computer: raw.name }
  const own = named(raw, { ...details, source: 'provider' })
  const { progress = ignore, note = ignore, debug = ignore, onConnection, onEndpoint } = options
  const reach = new Reach(own, { kit: options.kit, progress, debug })
  const client = new GuestClient({
    ...details,
    dial: () => reach.dial(),
    direct: () => reach.unix && join(dirname(reach.unix), Place.directSocket),
    async accept(hello, exit) {
      const accepted = await reach.accept(hello, exit)
      if (accepted && reach.unix !== undefined) onEndpoint?.({ unix: reach.unix, nonce: hello.nonce, computer: raw.name, provider: descriptor.id })
      return accepted
    },
    ...(onConnection && { onConnection: (state) => onConnection(state) }),
  })

  /** Where sessions come from a guest, one is there anyway: programs then start through it, which is faster. */
  const throughGuest = own.sessions === undefined
  let refusal: unknown
  const spawn = async (argv: readonly string[], spawnOptions: SpawnOptions = {}): Promise<Process> => {
    if (!throughGuest || refusal !== undefined) return own.spawn(argv, spawnOptions)
    try {
      await client.connection(spawnOptions.signal)
    } catch (error) {
      if (!hasCode(error, 'unsupported', 'tool_missing')) throw error
      // It will never have one: what the provider can do by itself still works.
      refusal = error
      debug(`${raw.name} has no guest: ${String(error)}`)
      return own.spawn(argv, spawnOptions)
    }
    return client.spawn(argv, spawnOptions)
  }

  const capabilities = async () => merge(own, descriptor.capabilities, await own.info(), refusal)

  const hold = async () => {
    if (throughGuest) await client.connection().catch((error: unknown) => debug(`${raw.name} is not held: ${String(error)}`))
  }

  const carrier = { provider: descriptor.id, version: options.version ?? '', capabilities, progress, note, debug, hold }
  const checkpoints =
    own.checkpoints ?? named(lacking('checkpoints', capabilities, own, ['diff', 'read', 'export'], new DiskCheckpoints({ ...carrier, computer: own, announce: () => client.announce('restored') })), details)

  return {
    name: raw.name,
    provider: descriptor.id,
    async info() {
      const info = await own.info()
      const because = info.state === 'stopped' ? (info.because ?? (await sleptBecause(own))) : undefined
      return because === undefined ? info : { ...info, because }
    },
    async start(startOptions) {
      if ((await own.info()).state !== 'running') await recover(own, note)
      await own.start(startOptions)
      client.refresh()
    },
    async stop(stopOptions) {
      await own.stop(stopOptions)
      client.reset()
    },
    async delete(deleteOptions) {
      await own.delete(deleteOptions)
      client.reset()
    },
    async restart(restartOptions = {}) {
      if (own.restart) return own.restart(restartOptions)
      await this.stop(restartOptions.signal && { signal: restartOptions.signal })
      await this.start(restartOptions)
    },
    spawn,
    files: own.files ?? client.files,
    archive: own.archive ?? client.archive,
    sessions: own.sessions ?? client.sessions,
    ports: own.ports ?? client.ports,
    services: own.services ?? client.services,
    ...(own.url && { url: own.url }),
    listen: (path, listenOptions) => own.listen?.(path, listenOptions) ?? client.listen(path, listenOptions),
    tunnel: (port, tunnelOptions) => own.tunnel?.(port, tunnelOptions) ?? client.tunnel(port, tunnelOptions),
    idle: () => own.idle?.() ?? client.idle(),
    idleStop: own.idleStop ?? named(lacking('idle-stop', capabilities, own, [], guestIdleStop(own, client)), details),
    checkpoints,
    fork: named(lacking('fork', capabilities, own, [], new Fork({ ...carrier, origin: own, checkpoints })), details).make,
    network: own.network ?? named(lacking('network', capabilities, own, ['log'], new PolicyNetwork(own)), details),
    capabilities,
    onSlept: (start) => reach.onSlept(start),
    hold,
    async meet() {
      if (own.guest?.booted === true && own.guest.near === true) await hold()
    },
    async close() {
      await Promise.all([client.finish(), raw.close?.()])
      options.onClosed?.()
    },
  }
}

function ignore(): void {
  // Nobody wants to know.
}
