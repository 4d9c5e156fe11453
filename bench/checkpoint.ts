/** Checkpoints as a user makes them, whole commands, against a plain copy of the same disk. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Scratch } from '../test/support/amux.ts'
import { disposeAll } from '../test/support/computers.ts'
import { type Row, median, ms } from './measure.ts'

const FILES = 20_000
const BYTES = 2e9
const ROUNDS = 5
/** On the computer: files of many sizes in 400 directories. */
const FILL = `
const fs = require('fs'), { randomBytes } = require('crypto'), base = process.env.HOME + '/data', noise = randomBytes(1 << 20)
for (let n = 0; n < ${FILES}; n++) {
  const dir = base + '/' + (n % 20) + '/' + (n % 400)
  if (n < 400) fs.mkdirSync(dir, { recursive: true })
  const size = [1e3, 4e3, 8e3, 2e4, 6e4, 1e5, 2e5, 4e5][n * 7 % 8] * ${BYTES} / ${FILES} / 99125
  fs.writeFileSync(dir + '/' + n, noise.subarray(n % 1000, n % 1000 + size))
}`
const CHANGE = `
const fs = require('fs'), base = process.env.HOME + '/data', [count, mark] = process.argv.slice(1)
for (let n = 0; n < count; n++) { const k = n * 13 % ${FILES}; fs.writeFileSync(base + '/' + (k % 20) + '/' + (k % 400) + '/' + k, mark + n) }`
const NODE = '/run/amux/node'

export default async function checkpoint(): Promise<readonly Row[]> {
  const scratch = await Scratch.make()
  const run = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await scratch.run(['computer', ...args])
    if (status !== 0) throw new Error(`amux computer ${args.join(' ')} ended with ${status}: ${stderr}`)
    return stdout.trim()
  }
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now()
    await work()
    return performance.now() - begun
  }
  const change = (count: number, mark: string) => run('exec', '--', NODE, '-e', CHANGE, String(count), mark)
  try {
    const name = await run('create', '--provider', 'local')
    await run('exec', '--', NODE, '-e', FILL)
    execFileSync('sync')
    const disk = join(scratch.home, 'data', 'providers', 'local', 'computers', name, 'disk')
    const copy = join(scratch.path, 'copy')
    const [firsts, copies]: [number[], number[]] = [[], []]
    for (let round = 0; round < 3; round++) {
      copies.push(await timed(async () => execFileSync('cp', ['-a', disk, copy])))
      rmSync(copy, { recursive: true })
      execFileSync('sync')
      firsts.push(await timed(() => run('checkpoint', 'create')))
      if (round < 2) await run('checkpoint', 'rm', await run('checkpoint', 'ls', '-q'), '--yes')
      execFileSync('sync')
    }
    const first = median(firsts)
    const peer = median(copies)
    const base = await run('checkpoint', 'ls', '-q')
    const [ones, many, restores, diffs]: [number[], number[], number[], number[]] = [[], [], [], []]
    for (let round = 0; round < ROUNDS; round++) {
      await change(1, `one ${round} `)
      ones.push(await timed(() => run('checkpoint', 'create')))
      await change(1000, `many ${round} `)
      many.push(await timed(() => run('checkpoint', 'create')))
      const [newest = ''] = (await run('checkpoint', 'ls', '-q')).split('\n')
      diffs.push(await timed(() => run('checkpoint', 'diff', base, newest)))
      restores.push(await timed(async () => (await run('checkpoint', 'restore', base), run('exec', '--', 'true'))))
    }
    const ratio = (what: string, value: number, of: number, against: string, limit: number): Row => ({ what, ours: ms(value), peer: `${against}: ${ms(of)}`, ratio: value / of, target: `<= ${limit} x`, met: value <= of * limit })
    const limit = (what: string, value: number, most: number): Row => ({ what, ours: ms(value), peer: '', target: `<= ${most} ms`, met: value <= most })
    return [
      ratio(`first checkpoint, ${BYTES / 1e9} GB in ${FILES} files`, first, peer, 'cp -a', 1),
      ratio('the next, one file changed', median(ones), first, 'the first', 0.1),
      ratio('the next, 1,000 files changed', median(many), first, 'the first', 0.25),
      limit('restore of 1,000 changed files, and exec', median(restores), 2000),
      limit('diff of two checkpoints', median(diffs), 1000),
    ]
  } finally {
    await disposeAll(scratch)
  }
}
