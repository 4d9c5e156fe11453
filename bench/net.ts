/** What a network policy costs: a change, a lookup, a connection's throughput. In a world of namespaces; needs root. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fence, policy } from '../test/net/fence.ts'
import { type Agent, asRoot, at, NEEDS_ROOT, World } from '../test/support/world.ts'
import { median, ms, type Row } from './measure.ts'

const ROUNDS = 11
const SPAN = 800

export default async function net(): Promise<readonly Row[]> {
  if (!asRoot) {
    process.stderr.write(`${NEEDS_ROOT}\n`)
    return []
  }
  const world = await World.make()
  const fence = new Fence(world)
  try {
    await world.zones({ 'good.test': { a: [at.good] }, 'third.test': { a: [at.third] } })
    const inside = world.agent(world.computer)
    await fence.serve({ pid: inside.pid, args: ['--resolv', world.resolvFile] })
    const mibps = async (): Promise<number> => {
      const { id } = await inside.hold(at.good, 19)
      await new Promise((resolve) => setTimeout(resolve, 200))
      const [before, begun] = [(await inside.state(id)).bytes, performance.now()]
      await new Promise((resolve) => setTimeout(resolve, SPAN))
      const rate = ((await inside.state(id)).bytes - before) / (performance.now() - begun) / 1048.576
      await inside.act('drop', { id })
      return rate
    }
    const rules = Array.from({ length: 10_000 }, (_, index) => `allow n${index}.example.test`)
    const [open, fenced, asked, direct, changed, large]: number[][] = [[], [], [], [], [], []] as number[][]
    const lookup = (server: string) => inside.act<number>('clock', { name: 'good.test', server, count: 400 })
    for (let round = 0; round < ROUNDS; round++) {
      await fence.apply('amux-policy 1\n')
      open?.push(await mibps())
      direct?.push(await lookup(at.server))
      await fence.set('allow good.test', 'allow third.test')
      asked?.push(await lookup(at.server))
      fenced?.push(await mibps())
      await inside.ask('third.test')
      changed?.push(await effect(fence, inside, policy('allow good.test')))
      await fence.set('allow third.test', ...rules)
      await inside.ask('third.test')
      large?.push(await effect(fence, inside, policy('allow good.test', ...rules)))
    }
    // Neighbours in time: the machine's own ups and downs are larger than what is measured.
    const ratio = median((fenced ?? []).map((rate, round) => rate / (open?.[round] ?? Number.NaN)))
    const added = median(asked ?? []) - median(direct ?? [])
    return [
      row('policy change until a live connection is cut', median(changed ?? []), 100),
      row('the same with 10,000 rules', median(large ?? []), 100),
      { what: 'an allowed lookup, added', ours: ms(added), peer: `upstream itself: ${ms(median(direct ?? []))}`, target: '<= 1 ms', met: added <= 1 },
      { what: 'throughput of an allowed connection', ours: `${median(fenced ?? []).toFixed(0)} MiB/s`, peer: `no policy: ${median(open ?? []).toFixed(0)} MiB/s`, ratio, target: '>= 0.95 x', met: ratio >= 0.95 },
    ]
  } finally {
    await fence.end()
    world.end()
  }
}

/** From the start of `amux-net apply` until a connection that is not allowed any more has ended. */
async function effect(fence: Fence, inside: Agent, text: string): Promise<number> {
  const { id } = await inside.hold(at.third)
  const file = join(fence.root, 'next')
  writeFileSync(file, text)
  const input = openSync(file, 'r')
  const ended = inside.act('ended', { id })
  const begun = performance.now()
  const child = spawn(fence.tool, ['apply', fence.dir], { stdio: [input, 'ignore', 'inherit'] })
  await ended
  const span = performance.now() - begun
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
  closeSync(input)
  return span
}

function row(what: string, value: number, most: number): Row {
  return { what, ours: ms(value), peer: '', target: `<= ${most} ms`, met: value <= most }
}
