import type { Capabilities, CapabilityId } from '../../contract/index.ts'

/** What a run of the suite found. */
export interface ConformanceReport {
  /** The provider's id. */
  readonly provider: string
  readonly title: string
  /** `info().details.tier`, of those that have any. */
  readonly tier?: string
  /** What the computer that most tests shared says of itself. */
  readonly capabilities: Capabilities
  readonly passed: number
  /** Capabilities that something was tried of and did not hold; `other` stands for what belongs to none. */
  readonly failed: readonly (CapabilityId | 'other')[]
}

/** Counts as tests end. */
export class Tally {
  passed = 0
  readonly failed = new Set<CapabilityId | 'other'>()

  async of(subject: CapabilityId | undefined, body: () => Promise<void>): Promise<void> {
    try {
      await body()
      this.passed++
    } catch (error) {
      this.failed.add(subject ?? 'other')
      throw error
    }
  }
}
