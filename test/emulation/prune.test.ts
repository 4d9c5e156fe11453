import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { CheckpointInfo } from '../../src/contract/index.ts'
import { MOST, OLDEST_MS, outdated } from '../../src/emulation/checkpoints/prune.ts'

const now = Date.parse('2026-06-01T00:00:00Z')
const point = (id: string, kind: CheckpointInfo['kind'], age = 0): CheckpointInfo => ({ id, kind, createdAt: new Date(now - age).toISOString(), entries: 1, size: 1 })

describe('pruning of checkpoints', () => {
  it('never takes one that was asked for', () => {
    const points = Array.from({ length: 50 }, (_, n) => point(`v${50 - n}`, 'manual', 10 * OLDEST_MS))
    expect(outdated(points)).to.deep.equal([])
  })

  it('keeps the newest of amux\'s own, whichever kind', () => {
    const points = Array.from({ length: MOST + 3 }, (_, n) => point(`auto-${99 - n}`, n % 2 === 0 ? 'automatic' : 'safety'))
    expect(outdated(points)).to.deep.equal([`auto-${99 - MOST}`, `auto-${98 - MOST}`, `auto-${97 - MOST}`])
  })

  it('takes what is too old', () => {
    const points = [point('v2', 'manual'), point('auto-3', 'automatic', OLDEST_MS - 1), point('v1', 'manual', OLDEST_MS + 1), point('auto-2', 'automatic', OLDEST_MS + 1)]
    expect(outdated(points)).to.deep.equal(['auto-2'])
  })

  it('keeps the newest way back, however old', () => {
    const points = [point('v1', 'manual'), point('auto-9', 'safety', 3 * OLDEST_MS), point('auto-8', 'safety', 4 * OLDEST_MS)]
    expect(outdated(points)).to.deep.equal(['auto-8'])
  })

  it('goes by the time of the newest, whatever this machine takes for now', () => {
    expect(outdated([point('auto-2', 'automatic', 50 * OLDEST_MS), point('auto-1', 'safety', 50 * OLDEST_MS + 1)])).to.deep.equal([])
    expect(outdated([])).to.deep.equal([])
  })
})
