import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'mocha'
import type { IdleState } from '../../src/contract/index.ts'
import { Setting } from '../../src/guest/idle/setting.ts'
import { Stopper } from '../../src/guest/idle/stopper.ts'
import { entered, type Seen } from '../../src/guest/idle/processes.ts'
import { Lab, until } from './lab.ts'

const QUIET: IdleState = { since: new Date(0).toISOString(), because: [] }
const put = (lab: Lab, after: unknown) => lab.call('PUT', '/v1/idle/stop', { after })
const slept = (lab: Lab): string => join(lab.dir, 'slept.json')
const over = (lab: Lab): boolean => existsSync(slept(lab)) && !existsSync(join(lab.config.run, 'init.sock'))

/** A stopper whose computer is whatever `states` says, look after look; the last one stays. */
async function stopper(states: readonly IdleState[]) {
  const lab = await Lab.open()
  const events: string[] = []
  let looks = 0
  const host = new Stopper({
    setting: new Setting({ store: lab.dir }),
    state: async () => states[Math.min(looks++, states.length - 1)] ?? QUIET,
    touch: () => void events.push('touch'),
    hide: () => (events.push('hide'), () => void events.push('back')),
    end: () => void events.push('end'),
  })
  const close = (): void => {
    host.set(undefined)
    lab.close()
  }
  return { host, lab, events, close, looks: () => looks }
}

describe('a computer that stops by itself', () => {
  it('does so once nothing uses it, leaves word, and begins anew with the same setting', async () => {
    const lab = await Lab.open()
    try {
      expect((await put(lab, 200)).status).to.equal(204)
      lab.cut()
      await until(() => over(lab))
      expect(JSON.parse(readFileSync(slept(lab), 'utf8'))).to.have.property('after', 200)
      await lab.start()
      await until(() => over(lab))
      await lab.start()
      expect((await put(lab, null)).status).to.equal(204)
      expect([existsSync(slept(lab)), existsSync(join(lab.dir, 'idle.json'))]).to.deep.equal([false, false])
    } finally {
      lab.close()
    }
  })

  it('refuses what is no time', async () => {
    const lab = await Lab.open()
    try {
      for (const after of [0, -1, 'soon', 2 ** 40, undefined]) expect((await put(lab, after)).status, String(after)).to.equal(400)
    } finally {
      lab.close()
    }
  })

  it('knows connections from outside from those among its own programs', async () => {
    // In a process namespace of its own and the network of this machine, as a computer may be.
    const script = `
      const { inbound } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/guest/ports/inbound.ts'))})
      const server = net.createServer((s) => s.resume()).listen(0, '127.0.0.1', () => {
        const { port } = server.address()
        const own = net.connect(port, '127.0.0.1').on('error', () => undefined)
        own.once('connect', () => console.log(port))
        setInterval(async () => console.log('seen ' + (await inbound([{ port, address: '127.0.0.1', pid: 0, program: '' }])).length), 50)
      })`
    const apart = process.getuid?.() === 0 ? ['--pid', '--fork', '--mount-proc', '--kill-child'] : ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child']
    const child = spawn('unshare', [...apart, process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
    try {
      await until(() => said.includes('seen 0'))
      const socket = connect(Number.parseInt(said, 10), '127.0.0.1')
      await until(() => said.includes('seen 1'))
      socket.destroy()
      await until(() => said.endsWith('seen 0\n'))
      expect(said).not.to.include('seen 2')
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('goes on where somebody came through the door before it was shut', async () => {
    const { host, lab, events, close, looks } = await stopper([QUIET, { ...QUIET, held: ['a client is connected'] }, { because: ['session build'] }])
    try {
      host.set(100)
      await until(() => looks() > 4)
      expect(events).to.deep.equal(['hide', 'back'])
      expect(existsSync(slept(lab))).to.equal(false)
    } finally {
      close()
    }
  })

  it('is not taken for idle after everything stood still', async () => {
    const now = performance.now.bind(performance)
    const { host, events, close, looks } = await stopper([{ because: ['session build'] }])
    try {
      host.set(100)
      await until(() => looks() > 1)
      expect(events).to.deep.equal([])
      performance.now = () => now() + 3_600_000
      await until(() => events.length > 0)
      expect(events).to.deep.equal(['touch'])
    } finally {
      performance.now = now
      close()
    }
  })

  it('does not stop any more once that is taken back', async () => {
    const { host, events, close, looks } = await stopper([QUIET])
    try {
      host.set(100)
      await until(() => events.includes('hide'))
      host.set(undefined)
      await until(() => events.includes('back'))
      expect(events).to.deep.equal(['hide', 'back'])
      expect(looks()).to.be.lessThan(4)
    } finally {
      close()
    }
  })

  it('knows what an engine has put in', () => {
    const seen = (pid: number, parent: number, name: string): [number, Seen] => [pid, { pid, parent, name, start: '1', ticks: 0 }]
    const all = [seen(1, 0, 'amux-init'), seen(2, 1, 'node'), seen(5, 0, 'bash'), seen(6, 5, 'vi'), seen(7, 0, 'amux-net'), seen(8, 0, 'amux-init')]
    expect(entered(new Map(all)).map(({ pid }) => pid)).to.deep.equal([5])
    expect(entered(new Map([seen(1, 0, 'systemd'), seen(5, 0, 'bash')]))).to.deep.equal([])
  })
})
