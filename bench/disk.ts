/** The checkpoint engine by itself, against `cp -a` of the same 2 GB in 20,000 files on the same file system. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { median, ms, type Row } from './measure.ts'

const TOOL = join(import.meta.dirname, `../src/emulation/native/prebuilt/linux-${process.arch}/amux-disk`)
const ROUNDS = 3

class Bench {
  readonly root = mkdtempSync(join(tmpdir(), 'amux-bench-disk-'))
  readonly tree = join(this.root, 'tree')
  readonly request = `tree\thome\t${this.tree}\t/\t\t\nend\n`

  tool(...args: string[]): string {
    const [command = '', ...rest] = args
    const done = spawnSync(TOOL, [command, join(this.root, 'store'), ...rest], { input: this.request, encoding: 'utf8', maxBuffer: 1 << 28 })
    if (done.status !== 0) throw new Error(`${command}: ${done.stdout}`)
    return done.stdout
  }

  file(at: number): string {
    return join(this.tree, `d${at % 20}`, `e${Math.floor(at / 20) % 20}`, `f${at}`)
  }

  fill(): void {
    const bytes = randomBytes(16 << 20)
    for (let at = 0; at < 400; at++) mkdirSync(join(this.file(at), '..'), { recursive: true })
    for (let at = 0; at < 20_000; at++) {
      const size = at < 19_000 ? 100 + ((at * 7919) % 40_000) : at < 19_900 ? 200_000 + ((at * 104_729) % 700_000) : 12 << 20
      const from = (at * 4099) % (bytes.length - size + 1)
      writeFileSync(this.file(at), bytes.subarray(from, from + size))
    }
  }

  change(count: number): void {
    for (let at = 0; at < count; at++) appendFileSync(this.file(at), 'x')
  }

  drop(name: string): void {
    rmSync(join(this.root, name), { recursive: true, force: true })
    execFileSync('sync')
  }
}

function timed(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

/** From `go` to `still`. */
async function frozen(bench: Bench): Promise<number> {
  const child = spawn(TOOL, ['create', join(bench.root, 'store'), 'v', '{}', '--pause'], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write(bench.request)
  let [start, time] = [0, 0]
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') {
      start = performance.now()
      child.stdin.write('go\n')
    }
    if (line === 'still') time = performance.now() - start
  }
  if (child.exitCode === null) await once(child, 'exit')
  return time
}

export default async function disk(): Promise<readonly Row[]> {
  const bench = new Bench()
  const row = (what: string, time: number, limit: number, peer = '', ratio?: number): Row => ({
    what: `checkpoint engine: ${what}`,
    ours: ms(time),
    peer,
    ...(ratio === undefined ? { target: `<= ${limit} ms`, met: time <= limit } : { ratio, target: `<= ${limit} x`, met: ratio <= limit }),
  })
  try {
    bench.fill()
    const [copies, firsts]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      bench.drop('store')
      copies.push(timed(() => execFileSync('cp', ['-a', bench.tree, join(bench.root, 'copy')])))
      bench.drop('copy')
      firsts.push(timed(() => bench.tool('create', 'v', '{}')))
    }
    const [copy, first] = [median(copies), median(firsts)]
    const times = { one: [] as number[], thousand: [] as number[], pause: [] as number[], restore: [] as number[], diff: [] as number[] }
    bench.tool('create', 'v', '{}')
    for (let round = 0; round < ROUNDS; round++) {
      bench.change(1)
      times.one.push(timed(() => bench.tool('create', 'v', '{}')))
      bench.change(1000)
      times.thousand.push(timed(() => bench.tool('create', 'v', '{}')))
      times.pause.push(await frozen(bench))
      times.diff.push(timed(() => bench.tool('diff', 'v1', 'v2')))
      bench.change(1000)
      times.restore.push(timed(() => bench.tool('restore', 'v3', '{}')))
    }
    const compared = (what: string, values: readonly number[], limit: number) => row(what, median(values), limit, `the first: ${ms(first)}`, median(values) / first)
    return [
      row('the first of 2 GB', first, 1, `cp -a: ${ms(copy)}`, first / copy),
      compared('after one changed file', times.one, 0.1),
      compared('after 1,000 changed files', times.thousand, 0.25),
      row('programs stand still', median(times.pause), 200),
      row('restore after 1,000 changed files', median(times.restore), 500),
      row('diff of two points of 20,000 files', median(times.diff), 300),
    ]
  } finally {
    rmSync(bench.root, { recursive: true, force: true })
  }
}
