import { randomBytes } from 'node:crypto'
import type { Capabilities, Checkpoints, Computer, ForkOptions, NetworkPolicy } from '../contract/index.ts'
import { fail, normalise } from '../errors/index.ts'
import { DiskCheckpoints } from './checkpoints/index.ts'
import { PolicyNetwork } from './network/index.ts'

export interface Forker {
  readonly origin: Computer
  readonly checkpoints: Checkpoints
  readonly provider: string
  readonly version: string
  capabilities(): Promise<Capabilities>
  progress(message: string): void
  note(message: string): void
  debug(message: string): void
}

/** What a computer knows itself by: two must not be the same. */
const RENAME = `
  for file in /etc/hostname /etc/hosts; do [ -f "$file" ] && sed "s/\\b$1\\b/$2/g" "$file" > "$file.amux" && cat "$file.amux" > "$file"; rm -f "$file.amux"; done
  [ -f /etc/machine-id ] && chmod u+w /etc/machine-id && echo "$3" > /etc/machine-id && chmod 444 /etc/machine-id`

/** Makes computers that begin with the disk of another one's checkpoint. */
export class Fork {
  readonly #forker: Forker

  constructor(forker: Forker) {
    this.#forker = forker
    this.make = this.make.bind(this)
  }

  async make({ name, labels, checkpoint, signal }: ForkOptions): Promise<void> {
    const { origin, checkpoints, progress } = this.#forker
    await checkpoints.get(checkpoint)
    const policy = await this.#policy()
    progress(`Making ${name} like ${origin.name}`)
    const twin = await origin.twin?.({ name, labels, ...(policy && { policy }), ...(signal && { signal }) })
    if (twin === undefined) throw fail('unsupported', `nothing makes a computer like ${origin.name}`)
    try {
      await this.#fill(twin, checkpoint, signal)
      await twin.start(signal && { signal })
      await this.#rename(twin)
      signal?.throwIfAborted()
    } catch (error) {
      await twin.delete().catch((reason: unknown) => this.#forker.note(`What there is of ${name} is still there: ${normalise(reason).message}. Remove it: amux computer rm ${name}`))
      throw error
    }
  }

  /** The policy of now. A computer that can have none was not given one. */
  async #policy(): Promise<NetworkPolicy | undefined> {
    const { origin, capabilities } = this.#forker
    if ((await capabilities()).network.fidelity === 'unavailable') return undefined
    const policy = await (origin.network ?? new PolicyNetwork(origin)).get()
    return policy.rules.length === 0 ? undefined : policy
  }

  async #fill(twin: Computer, id: string, signal: AbortSignal | undefined): Promise<void> {
    const { origin, checkpoints, progress } = this.#forker
    const mine = new DiskCheckpoints({ ...this.#forker, computer: twin, announce: async () => undefined, hold: async () => undefined })
    const given = signal ? { signal } : {}
    const point = await mine.import(checkpoints.export(id, { exact: true, ...given }), { exact: true, message: `what it was forked from: ${id} of ${origin.name}`, ...given })
    signal?.throwIfAborted()
    progress(`Filling the disk of ${twin.name}`)
    const { safety } = await mine.restore(point.id)
    // Nobody wants an empty computer back.
    if (safety !== undefined) await mine.remove([safety])
  }

  async #rename(twin: Computer): Promise<void> {
    const { origin, debug } = this.#forker
    const argv = ['/bin/sh', '-c', RENAME, 'sh', origin.name, twin.name, randomBytes(16).toString('hex')]
    try {
      const { exit, stdout, stderr, stdin } = await twin.spawn(argv, { user: 'root' })
      await stdin.end()
      for (const source of [stdout, stderr]) for await (const chunk of source) debug(Buffer.from(chunk).toString())
      await exit
    } catch (error) {
      // One without a shell, or without root, keeps what it knows itself by.
      debug(`${twin.name} is not told its name: ${String(error)}`)
    }
  }
}
