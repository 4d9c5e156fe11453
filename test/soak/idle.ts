import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

const MINUTES = Number(process.env['AMUX_SOAK_MINUTES'] ?? 60)

/** A shell that nobody types into, looked at by a client that nobody looks at. */
describe(`${MINUTES} minutes of idling`, () => {
  let scratch: Scratch

  before(async () => {
    scratch = await Scratch.make()
    const { status, stderr } = await scratch.run(['computer', 'create', '-P', 'local'])
    expect(status, stderr).to.equal(0)
  })
  after(() => disposeAll(scratch))

  it('keeps client and session connected, and loses nothing said afterwards', async () => {
    const client = open(scratch, ['computer', 'exec', '-i', '--', 'cat'])
    let heard = ''
    client.stdout?.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    client.stdin?.write('before\n')
    await until(() => heard === 'before\n')
    await sleep(MINUTES * 60_000)
    client.stdin?.end('after\n')
    const [code] = (await once(client, 'close')) as [number]
    expect({ code, heard }).to.deep.equal({ code: 0, heard: 'before\nafter\n' })
  })

  it('costs the computer next to nothing', async () => {
    const ticks = async (): Promise<number> => {
      const { stdout } = await scratch.run(['computer', 'exec', '--', 'sh', '-c', 'cut -d" " -f14,15 /proc/$(pgrep -o amux-guest)/stat'])
      return stdout.trim().split(' ').reduce((sum, value) => sum + Number(value), 0)
    }
    const start = await ticks()
    await sleep(60_000)
    // Ticks are a hundredth of a second; the two questions cost something themselves.
    expect((await ticks()) - start).to.be.below(30)
  })
})

function open(scratch: Scratch, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--', bin, ...args], { cwd: scratch.project, env: scratch.env(), stdio: ['pipe', 'pipe', 'inherit'] })
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await sleep(20)
}
