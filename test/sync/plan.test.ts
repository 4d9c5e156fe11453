import { describe, it } from 'mocha'
import { expect } from 'chai'
import { type Pair, type Plan, type PlanOptions, type Side, plan } from '../../src/sync/plan.ts'
import { type Seen, belongs } from '../../src/sync/trees/tree.ts'

interface One {
  /** What the file holds; `link:` and what it leads to; `directory`; nothing where it is not there. */
  readonly source?: string
  readonly target?: string
  /** What both sides held after the last sync. */
  readonly before?: string
}

/** Two contents of one length, so that only they themselves tell them apart. */
const [OLD, MINE, ITS] = ['old', 'new', 'her']

function see(text: string, when: string): Seen {
  if (text === 'directory') return { type: 'directory', size: 0, mode: 0o755, mtime: when }
  if (text.startsWith('link:')) return { type: 'link', size: 1, mode: 0o777, mtime: when, target: text.slice(5) }
  return { type: 'file', size: text.length, mode: 0o644, mtime: when }
}

function planned(files: Readonly<Record<string, One>>, options: Partial<PlanOptions> = {}): Plan {
  const side = (which: 'source' | 'target'): Side => {
    const there = Object.entries(files).flatMap(([path, one]) => (one[which] === undefined ? [] : [[path, one[which], one.before] as const]))
    const seen = there.map(([path, text, before]) => [path, see(text, text === before ? 'then' : `now, ${which}`)] as const)
    return { seen: new Map(seen), content: new Map(there.map(([path, text]) => [path, text])) }
  }
  const memory = Object.entries(files).flatMap(([path, { before }]): [string, Pair][] => (before === undefined ? [] : [[path, { source: see(before, 'then'), target: see(before, 'then'), content: before }]]))
  return plan(Object.keys(files), side('source'), side('target'), new Map(memory), { delete: false, force: false, ...options })
}

/** What becomes of one file: `add`, `change`, `remove`, a reason to refuse, `same`, `forgotten`, `kept`, or nothing. */
function fate(one: One, options?: Partial<PlanOptions>): string {
  const { changes, conflicts, same, forgotten, kept } = planned({ f: one }, options)
  const all = [...changes.map(({ action }) => action), ...conflicts.map(({ why }) => why), ...same.map(() => 'same'), ...forgotten.map(() => 'forgotten'), ...kept.map(() => 'kept')]
  expect(all.length).to.be.lessThan(2)
  return all[0] ?? 'nothing'
}

describe('what a sync carries', () => {
  const table: readonly [what: string, one: One, plain: string, deleting: string, forced: string][] = [
    ['new at the source', { source: MINE }, 'add', 'add', 'add'],
    ['new at the target', { target: ITS }, 'nothing', 'nothing', 'nothing'],
    ['new on both, the same', { source: MINE, target: MINE }, 'same', 'same', 'same'],
    ['new on both, different', { source: MINE, target: ITS }, 'both there', 'both there', 'change'],
    ['unchanged', { source: OLD, target: OLD, before: OLD }, 'same', 'same', 'same'],
    ['changed at the source', { source: MINE, target: OLD, before: OLD }, 'change', 'change', 'change'],
    ['changed at the target', { source: OLD, target: ITS, before: OLD }, 'nothing', 'nothing', 'nothing'],
    ['changed on both', { source: MINE, target: ITS, before: OLD }, 'both changed', 'both changed', 'change'],
    ['changed on both to the same', { source: MINE, target: MINE, before: OLD }, 'same', 'same', 'same'],
    ['deleted at the source', { target: OLD, before: OLD }, 'kept', 'remove', 'remove'],
    ['deleted at the target', { source: OLD, before: OLD }, 'nothing', 'nothing', 'nothing'],
    ['deleted on both', { before: OLD }, 'forgotten', 'forgotten', 'forgotten'],
    ['deleted at the source, changed at the target', { target: ITS, before: OLD }, 'kept', 'gone at source', 'remove'],
    ['changed at the source, deleted at the target', { source: MINE, before: OLD }, 'gone at target', 'gone at target', 'add'],
    ['a file that became a link', { source: 'link:x', target: OLD, before: OLD }, 'change', 'change', 'change'],
    ['a link that leads elsewhere on both', { source: 'link:a', target: 'link:b', before: 'link:c' }, 'both changed', 'both changed', 'change'],
    ['a file where a directory came to stand', { source: MINE, target: 'directory', before: OLD }, 'in the way', 'in the way', 'in the way'],
    ['a directory where a file was', { source: 'directory', target: OLD, before: OLD }, 'kept', 'remove', 'remove'],
    ['a directory on both', { source: 'directory', target: 'directory' }, 'nothing', 'nothing', 'nothing'],
  ]
  for (const [what, one, plain, deleting, forced] of table) {
    it(`of one that is ${what}: ${plain}, ${deleting}, ${forced}`, () => {
      expect([fate(one), fate(one, { delete: true }), fate(one, { delete: true, force: true })]).to.deep.equal([plain, deleting, forced])
    })
  }

  it('goes by content, not by time, once that is known', () => {
    const touched = { ...see(OLD, 'later') }
    const memory = new Map([['f', { source: see(OLD, 'then'), target: see(OLD, 'then'), content: OLD }]])
    const known = (source: string | undefined) => plan(['f'], { seen: new Map([['f', touched]]), content: new Map(source === undefined ? [] : [['f', source]]) }, { seen: new Map([['f', see(OLD, 'then')]]), content: new Map() }, memory, { delete: false, force: false })
    expect(known(OLD)).to.deep.include({ changes: [], same: ['f'] })
    // It could not be read: whatever it holds is not taken for the same.
    expect(known(undefined).changes).to.have.length(1)
  })

  it('goes through nothing that stays in its way', () => {
    expect(planned({ d: { source: 'directory', target: 'link:/etc' }, 'd/f': { source: MINE } }, { force: true, delete: true }).conflicts).to.deep.equal([{ path: 'd/f', why: 'in the way' }])
    const leaving = planned({ d: { source: 'directory', target: OLD, before: OLD }, 'd/f': { source: MINE } }, { delete: true })
    expect(leaving.changes.map(({ path, action }) => `${action} ${path}`)).to.deep.equal(['remove d', 'add d/f'])
  })

  it('is never one of these names', () => {
    for (const path of ['.git/config', 'a/.git/hooks/x', 'a/.GIT/x', '.amux/x', '.amux', '../x', 'a/../x', '/etc/x', 'a//b', './a', 'a\0b', 'a\uFFFD', '']) expect(belongs(path), path).to.equal(false)
    for (const path of ['.gitignore', 'a/.amux/x', '...', 'a b', '-x', '@x', '.github/x']) expect(belongs(path), path).to.equal(true)
  })
})
