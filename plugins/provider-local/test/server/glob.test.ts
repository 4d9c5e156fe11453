import { expect } from 'chai'
import { describe, it } from 'mocha'
import { glob } from '../../src/server/routes/glob.ts'

describe("the server's globs", () => {
  it('mean what globs mean', () => {
    for (const [pattern, yes, no] of [
      ['*.ts', ['a.ts', 'src/a.ts', '.ts'], ['a.tsx', 'a.ts/b']],
      ['a*b*c', ['abc', 'axbxc', 'abbcc'], ['axbx', 'xabc']],
      ['src/**/x', ['src/x', 'src/a/x', 'src/a/b/x'], ['x', 'src/a/y', 'src/xx']],
      ['**/x', ['x', 'a/x', 'a/b/x'], ['ax', 'x/a']],
      ['a/**', ['a', 'a/b', 'a/b/c'], ['b', 'b/a']],
      ['a/*', ['a/b'], ['a', 'a/b/c']],
      ['[a-c]?[!d]', ['axe', 'c😀x'], ['bxd', 'dxx', 'ax']],
      [String.raw`\*[]x]`, ['*x', '*]'], ['ax', '*y']],
      ['**', ['a', 'a/b'], []],
    ] as const) {
      for (const path of yes) expect(glob(pattern)(path), `${pattern} ${path}`).to.equal(true)
      for (const path of no) expect(glob(pattern)(path), `${pattern} ${path}`).to.equal(false)
    }
  })

  it('end, whatever they are, and say what they do not know', () => {
    // As a regular expression each takes longer than the sun will burn.
    for (const pattern of [`${'*a'.repeat(127)}b`, `${'**/'.repeat(80)}b`, `${'*/**/a'.repeat(40)}b`, '+(+(+(a|aa)))b', `${'?*'.repeat(127)}b`]) {
      expect(glob(pattern)('a'.repeat(255))).to.equal(false)
      expect(glob(pattern)('a/'.repeat(2000))).to.equal(false)
    }
    for (const pattern of ['{a,b}', `${'{a,b}'.repeat(40)}`, '{1..1000000000}', '[a', 'a'.repeat(257)]) expect(() => glob(pattern), pattern.slice(0, 20)).to.throw().that.includes({ status: 400 })
  })
})
