import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Computer, CreateOptions, GuestKit, Provider } from '../../src/contract/index.ts'
import { equip, type Equipped } from '../../src/emulation/index.ts'
import { Faults, faultyComputer, processProvider, testKit } from '../../src/testkit/index.ts'

/** A provider of processes in a directory of its own, whose connections can be broken. */
export class Lab {
  readonly directory = mkdtempSync(join(tmpdir(), 'amux-emu-'))
  readonly faults = new Faults()
  readonly kit: GuestKit
  readonly #provider: Provider
  readonly #equipped: Equipped[] = []
  #count = 0

  private constructor(kit: GuestKit, provider: (dataDir: string) => Provider) {
    this.kit = kit
    this.#provider = provider(this.directory)
  }

  static async open(): Promise<Lab> {
    const kit = await testKit()
    const { ProcessProvider } = await import('../../src/testkit/process/provider.ts')
    return new Lab(kit, (dataDir) => new ProcessProvider({ settings: {}, dataDir, progress: () => {}, debug: () => {}, guest: kit, policyText: String }))
  }

  create(options: Partial<CreateOptions> = {}): Promise<Computer> {
    return this.#provider.create({ name: `lab-${++this.#count}`, labels: {}, ...options })
  }

  /** Another client of the same computer, over connections that `faults` rules. */
  equip(computer: Computer, more: { readonly kit?: GuestKit; readonly onConnection?: (state: 'lost' | 'back') => void } = {}): Equipped {
    const equipped = equip(faultyComputer(computer, this.faults), { descriptor: processProvider, kit: this.kit, ...more })
    this.#equipped.push(equipped)
    return equipped
  }

  async computer(): Promise<Equipped> {
    return this.equip(await this.create())
  }

  async close(): Promise<void> {
    this.faults.heal()
    await Promise.all(this.#equipped.map((one) => one.close()))
    for await (const { name } of this.#provider.list()) await (await this.#provider.get(name)).delete()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
