import { expect } from 'chai'
import { describe, it } from 'mocha'
import { feed, picture, stateOf, type Witness, witness } from './screen-tools.ts'

const size = { cols: 20, rows: 8 }
const ROUNDS = 300

/** The same numbers at every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** What programs send, in an order that no program would. */
function output(below: (limit: number) => number): string {
  const one = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const n = (limit: number): number => below(limit)
  const pieces: (() => string)[] = [
    () => one(['a', 'hello ', '漢字', 'e\u0301', '🎉', 'x'.repeat(n(50)), 'word '.repeat(n(6))]),
    () => one(['\r\n', '\n', '\r', '\t', '\b', '\x1bM', '\x1bD', '\x1bE']),
    () => `\x1b[${n(10)};${n(24)}H`,
    () => `\x1b[${n(5)}${one(['A', 'B', 'C', 'D', 'G', 'd'])}`,
    () => `\x1b[${one([0, 1, 2, 3, 4, 5, 7, 9, 53, 22, 24, 27, 39, 49])}m`,
    () => `\x1b[${one([31, 44, 97, 103, '38;5;77', '48;5;200', '38;2;1;2;3', '48;2;9;8;7', '4:3', '58:5:9', '59'])}m`,
    () => `\x1b[${n(3)}${one(['J', 'K'])}`,
    () => `\x1b[${n(6)}${one(['X', 'P', '@', 'L', 'M', 'S', 'T', 'b'])}`,
    () => `\x1b[${1 + n(4)};${3 + n(6)}r`,
    () => one(['\x1b[r', '\x1b7', '\x1bH', '\x1b[3g', '\x1b#8']),
    () => `\x1b[?${one([1, 6, 7, 25, 45, 1000, 1003, 1006, 1016, 1004, 2004, 1007, 2031])}${one(['h', 'l'])}`,
    () => one(['\x1b[?1049h', '\x1b[?1049l', '\x1b[?1047h', '\x1b[?1047l', '\x1b[4h', '\x1b[4l', '\x1b[4l']),
    () => one(['\x1b[!p', '\x1b[2 q', '\x1b=', '\x1b>']),
    () => one(['\x1b[>1u', '\x1b[<u', '\x1b[=2;1u', '\x1b[>4;1m', '\x1b]2;t\x07']),
  ]
  return Array.from({ length: 10 + n(60) }, () => one(pieces)()).join('')
}

/** Without the one thing that no viewer can be told: what was saved on an alternate screen that is not shown. */
function shown(witness: Witness): object {
  const { alternate, ...rest } = stateOf(witness)
  const { saved: _, ...visible } = (alternate ?? {}) as { saved?: unknown }
  return { ...rest, alternate: visible }
}

describe('a painted screen, after output that no program would send', () => {
  it(`is exact, and stays exact, in each of ${ROUNDS} cases`, async () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const below = numbers(seed)
      const first = output(below)
      const then = output(below)
      const truth = witness(size)
      await feed(truth, first)
      const viewer = witness(size)
      await feed(viewer, await picture(size, first))
      expect(shown(viewer), `case ${seed}: ${JSON.stringify(first)}`).to.deep.equal(shown(truth))
      await feed(truth, then)
      await feed(viewer, then)
      expect(shown(viewer), `case ${seed}, later: ${JSON.stringify(first + then)}`).to.deep.equal(shown(truth))
    }
  }).timeout(60_000)
})
