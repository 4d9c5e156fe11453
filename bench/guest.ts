/**
 * The guest alone, over its unix socket, without amux's client: start to exit, keystroke echo, throughput, many
 * sessions, idle cost. `node bench/guest.ts`; with AMUX_GUEST another build than the sources, as dist/guest/guest.js.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Frame } from '../src/protocol/index.ts'
import { Lab } from '../test/guest/lab.ts'

const rows: [what: string, measured: string, wanted: string][] = []
const lab = await Lab.open()
const { pid } = await lab.hello()
try {
  await idle()
  await startToExit()
  await echo()
  await throughput()
  await many()
} finally {
  lab.close()
}
for (const [what, measured, wanted] of rows) console.log(`${what.padEnd(44)} ${measured.padStart(22)}   ${wanted}`)

async function startToExit(): Promise<void> {
  const times: number[] = []
  for (let index = 0; index < 330; index++) {
    const began = performance.now()
    const program = lab.exec({ argv: ['true'], stdin: false })
    await program.until(({ exit }) => exit !== undefined)
    times.push(performance.now() - began)
    await program.over
  }
  rows.push(['true, request to exit status (p50, p95)', spread(times.slice(30), 0.95), '<= 3 ms'])
}

async function echo(): Promise<void> {
  const program = lab.exec({ argv: ['sh', '-c', 'stty raw -echo; echo up; exec cat'], tty: { cols: 80, rows: 24 } })
  await program.saw('up')
  const times: number[] = []
  for (let index = 0; index < 2000; index++) {
    const before = program.received.stdout
    const began = performance.now()
    program.type('x')
    await program.until(({ received }) => received.stdout > before)
    times.push(performance.now() - began)
  }
  program.tell(Frame.signal, 'SIGKILL')
  await program.over
  rows.push(['keystroke echo (p50, p99)', spread(times, 0.99), '<= 0.3 ms'])
}

async function throughput(): Promise<void> {
  const speeds: number[] = []
  for (let index = 0; index < 4; index++) {
    const began = performance.now()
    const program = lab.exec({ argv: ['head', '-c', '1G', '/dev/zero'], stdin: false }, { count: true })
    await program.over
    speeds.push(program.received.stdout / 1e6 / ((performance.now() - began) / 1000))
  }
  const [slowest, fastest] = [Math.min(...speeds), Math.max(...speeds)]
  rows.push(['stdout of head -c 1G /dev/zero (4 runs)', `${slowest.toFixed(0)}-${fastest.toFixed(0)} MB/s`, '>= 500 MB/s'])
}

async function many(): Promise<void> {
  const began = performance.now()
  const programs = Array.from({ length: 200 }, () => lab.exec({ argv: ['cat'] }))
  await Promise.all(programs.map((program) => program.started()))
  rows.push(['200 sessions started at once', `${(performance.now() - began).toFixed(0)} ms`, ''])
  rows.push(['guest with 200 sessions, memory', `${guest().megabytes.toFixed(0)} MB`, ''])
  programs.forEach((program) => program.eof())
  await Promise.all(programs.map((program) => program.over))
}

async function idle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const first = guest()
  rows.push(['guest just started, memory', `${first.megabytes.toFixed(1)} MiB`, '<= 60 MB'])
  await new Promise((resolve) => setTimeout(resolve, 5000))
  const second = guest()
  rows.push(['idle for 5 s, CPU ticks and wake-ups', `${second.ticks - first.ticks}, ${second.switches - first.switches}`, '0'])
}

function guest(): { megabytes: number; ticks: number; switches: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const switches = readdirSync(`/proc/${pid}/task`).map((task) => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))?.[1]))
  return {
    megabytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024,
    ticks: Number(stat[11]) + Number(stat[12]),
    switches: switches.reduce((sum, count) => sum + count, 0),
  }
}

function spread(times: readonly number[], high: number): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(2)
  return `${at(0.5)}, ${at(high)} ms`
}
