import type { CapabilityId } from '../../contract/index.ts'
import type { Bench } from './bench.ts'

/** A part of the contract. Where its capability is unavailable, using it must be refused as `unsupported`. */
export interface Topic {
  readonly name: string
  readonly needs?: CapabilityId
  /** What must be refused then. */
  use?(bench: Bench): Promise<unknown>
  readonly tests: Readonly<Record<string, (bench: Bench) => Promise<void>>>
}
