import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Talk, dial, queryOf } from '../../plugins/provider-local/test/server/talk.ts'
import { Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

const MINUTES = Number(process.env['AMUX_SOAK_MINUTES'] ?? 60)

/** As a team lives with a server that nobody looks after: sprites come and go, clients leave in the middle. */
describe(`${MINUTES} minutes of serving local computers`, () => {
  let amux: Scratch
  let server: { readonly url: string; readonly pid: number; readonly token_file: string }
  let token: string
  before(async () => {
    amux = await Scratch.make()
    server = (await amux.json<typeof server>(['local', 'server', 'start', '--listen', '127.0.0.1:0'])).document
    token = (await readFile(server.token_file, 'utf8')).trim()
  })
  after(async () => {
    await amux.run(['local', 'server', 'stop'])
    await disposeAll(amux)
  })

  async function ask(method: string, path: string, document?: object): Promise<number> {
    const { status, body } = await fetch(`${server.url}/v1/sprites${path}`, { method, headers: { authorization: `Bearer ${token}` }, ...(document && { body: JSON.stringify(document) }) })
    await body?.cancel()
    return status
  }

  async function run(sprite: string, argv: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Talk> {
    const talk = dial(server, `/v1/sprites/${sprite}/exec?${queryOf(argv, more)}`, { token, tty: more['tty'] === 'true' })
    await talk.until(({ info }) => info !== undefined)
    return talk
  }

  async function cycle(sprite: string): Promise<void> {
    expect(await ask('POST', '', { name: sprite })).to.equal(201)
    const short = await Promise.all(Array.from({ length: 20 }, () => run(sprite, ['seq', '1', '1000'])))
    await Promise.all(short.map(({ closed }) => closed))
    expect(short.every(({ status }) => status === 0)).to.equal(true)
    const lost = await run(sprite, ['yes'], { max_run_after_disconnect: '10ms' })
    await lost.until((talk) => talk.text(1).length > 0)
    lost.socket.terminate()
    const deaf = await run(sprite, ['yes'], { max_run_after_disconnect: '10ms' })
    deaf.socket.pause()
    const shell = await run(sprite, ['sh'], { tty: 'true', max_run_after_disconnect: '10ms' })
    shell.send(0, 'echo $((40+2))\n')
    await shell.until((talk) => talk.text(0).includes('42'))
    shell.socket.close(1000)
    const held = await run(sprite, ['sh', '-c', 'until [ -e go ]; do sleep 0.1; done; echo late'])
    held.socket.terminate()
    const again = dial(server, `/v1/sprites/${sprite}/exec/${held.info.session_id}`, { token })
    await again.until(({ info }) => info !== undefined)
    await (await run(sprite, ['touch', 'go'])).closed
    await again.closed
    expect([again.text(1), again.status]).to.deep.equal(['late\n', 0])
    deaf.socket.terminate()
    expect(await ask('DELETE', `/${sprite}`)).to.equal(204)
  }

  it('takes no more memory, files, processes, mounts and namespaces at its end than after its beginning', async () => {
    for (const n of [1, 2, 3]) await cycle(`warm-${n}`)
    const first = await settled(() => figures(server.pid, amux.home))
    const until = Date.now() + MINUTES * 60_000
    let cycles = 0
    while (Date.now() < until) await cycle(`soak-${++cycles}`)
    const last = await settled(() => figures(server.pid, amux.home))
    console.log(JSON.stringify({ cycles, first, last }))
    expect(last.rss - first.rss, 'bytes of memory').to.be.below(100e6)
    expect(last.files - first.files, 'open files').to.be.below(8)
    expect(last.processes - first.processes, 'processes').to.be.below(2)
    expect(last.mounts - first.mounts, 'mounts').to.equal(0)
    expect(last.namespaces - first.namespaces, 'namespaces').to.equal(0)
  }).timeout((MINUTES + 10) * 60_000)
})

/** Of the server and of all that it started. Others mount things on this machine, too: only what is below `home` is theirs. */
function figures(pid: number, home: string) {
  const parents = new Map(readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => [Number(name), parentOf(name)]))
  const mine = new Set([pid])
  for (let before = 0; before < mine.size; ) {
    before = mine.size
    for (const [child, parent] of parents) if (mine.has(parent)) mine.add(child)
  }
  const namespaces = new Set([...mine].flatMap((one) => ['mnt', 'pid', 'net', 'user'].map((kind) => link(`/proc/${one}/ns/${kind}`))))
  return {
    rss: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    files: readdirSync(`/proc/${pid}/fd`).length,
    processes: mine.size,
    mounts: readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n').filter((line) => line.includes(` ${home}/`)).length,
    namespaces: namespaces.size,
  }
}

function parentOf(pid: string): number {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    // Ended in between.
    return 0
  }
}

/** What ends takes a moment. */
async function settled<T>(look: () => T): Promise<T> {
  await sleep(3000)
  return look()
}

function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Ended in between.
    return ''
  }
}
