import { expect } from 'chai'
import { describe, it } from 'mocha'
import { isOurs } from '../../src/project/index.ts'

describe('whether a computer is one of amux', () => {
  const info = (createdAt: string, labels = {}) => ({ name: 'box', state: 'running' as const, createdAt, labels })
  const record = (entry: object) => ({ version: 1 as const, id: 'x'.repeat(16), path: '/p', providers: { far: { computers: { box: { createdAt: '2026-01-01T00:00:00Z', ...entry } } } } })
  const then = '2026-01-01T00:00:05Z'

  it('is said by its labels, by the user, or by a record of the same one', () => {
    expect(isOurs(info(then, { 'amux.project': 'p' }), undefined, 'far')).to.equal(true)
    expect(isOurs(info(then), record({ adopted: true }), 'far')).to.equal(true)
    expect(isOurs(info(then), record({ madeAt: then }), 'far')).to.equal(true)
  })

  it('is not said by a record of its name alone', () => {
    expect(isOurs(info(then), record({}), 'far')).to.equal(false)
    expect(isOurs(info(then), record({ madeAt: '2026-01-01T00:00:04Z' }), 'far')).to.equal(false)
    expect(isOurs(info(then), record({ madeAt: then }), 'other')).to.equal(false)
    const untold = new Date(0).toISOString()
    expect(isOurs(info(untold), record({ madeAt: untold }), 'far')).to.equal(false)
  })
})
