import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type ErrorDocument, Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

interface Service {
  readonly name: string
  readonly state: string
  readonly pid?: number
  readonly restarts: number
  readonly httpPort?: number
  readonly variables?: readonly string[]
}

const web = `require('http').createServer((q, r) => r.end('hello from ' + process.cwd())).listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'))`

describe('amux computer service, url and proxy --auto', () => {
  let amux: Scratch
  const children: ChildProcess[] = []
  before(async () => {
    amux = await Scratch.make()
    await amux.run(['computer', 'create', '-P', 'local'])
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await disposeAll(amux)
  })

  const service = (...args: string[]) => amux.run(['computer', 'service', ...args])
  const info = async (name: string) => (await amux.json<Service>(['computer', 'service', 'info', name])).document

  /** Its first lines on stdout, as they come. */
  async function lines(child: ChildProcess, count: number): Promise<string[]> {
    let text = ''
    for await (const chunk of child.stdout ?? []) {
      text += String(chunk)
      if (text.split('\n').length > count) break
    }
    return text.trim().split('\n')
  }

  function background(...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [bin, ...args], { cwd: amux.project, env: amux.env(), stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    return child
  }

  async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
    }
  }

  it('keeps a program running where one stands, with its variables, and shows neither values nor secrets', async () => {
    const made = await service('create', 'web', '--http-port', '3456', '-e', 'PORT=3456', '-e', 'SECRET=hush', '--', 'node', '-e', web)
    expect(made.status, made.stderr).to.equal(0)
    expect(made.stdout).to.match(/^web on .*: running\n$/)
    const shown = await service('info', 'web')
    expect(shown.stdout).to.include('SECRET').and.not.to.include('hush')
    expect((await service('info', 'web', '--json')).stdout).not.to.include('hush')
    expect((await service('ls', '-q')).stdout).to.equal('web\n')
    await until(async () => ((await service('logs', 'web')).stdout === 'listening\n' ? true : undefined))
  })

  it('has a URL here for as long as the command runs, and none for others', async () => {
    const child = background('computer', 'url', '--json')
    const [line = ''] = await lines(child, 1)
    const { url, port, access } = JSON.parse(line) as { url: string; port: number; access: string }
    expect({ port, access }).to.deep.equal({ port: 3456, access: 'private' })
    expect(await (await fetch(url)).text()).to.equal(`hello from ${amux.project}`)
    child.kill('SIGINT')
    expect((await once(child, 'exit'))[0]).to.equal(130)
    const refused = await amux.json<ErrorDocument>(['computer', 'url', '--public'])
    expect([refused.status, refused.document.error.code]).to.deep.equal([4, 'unsupported'])
  })

  it('comes back when it is killed, and not when it was stopped', async () => {
    const { pid = 0 } = await info('web')
    await amux.run(['computer', 'exec', '--', 'kill', '-9', String(pid)])
    const again = await until(async () => {
      const found = await info('web')
      return found.state === 'running' && found.pid !== pid ? found : undefined
    })
    expect(again.restarts).to.equal(1)
    expect((await service('stop', 'web')).stdout).to.match(/: stopped/)
    await amux.run(['computer', 'restart'])
    expect((await info('web')).state).to.equal('stopped')
    expect((await service('start', 'web')).status).to.equal(0)
    await amux.run(['computer', 'restart'])
    expect((await until(async () => ((await info('web')).state === 'running' ? info('web') : undefined))).name).to.equal('web')
  })

  it('says what is wrong with one that cannot run, and what stands in the way', async () => {
    const broken = await service('create', 'broken', '--', 'amux-no-such-program')
    expect([broken.status, broken.stdout]).to.satisfy(([status, text]: [number, string]) => status !== 0 && !text.includes('running'))
    const needs = await service('create', 'lost', '--needs', 'nobody', '--', 'true')
    expect(needs.status).to.be.oneOf([2, 3])
    const second = await service('create', 'second', '--http-port', '1', '--json', '--', 'true')
    expect([second.status, (JSON.parse(second.stdout) as ErrorDocument).error.code]).to.deep.equal([6, 'conflict'])
    for (const verb of ['start', 'stop', 'restart', 'info', 'logs']) expect((await service(verb, 'nobody')).status, verb).to.equal(3)
    expect((await service('rm', 'web')).status).to.equal(5)
    expect((await service('rm', 'web', '--yes')).status).to.equal(0)
    expect((await service('list')).stdout).not.to.match(/^web /m)
  })

  it('passes on what opens, at another port where that is taken here, until it is closed', async () => {
    const taken = createServer().listen(4567, '127.0.0.1')
    await once(taken, 'listening')
    try {
      const child = background('computer', 'proxy', '--auto', '--json')
      const id = (await amux.run(['computer', 'exec', '-d', '-e', 'PORT=4567', '--', 'node', '-e', web])).stdout.trim()
      const [line = ''] = await lines(child, 1)
      const { port, remote } = JSON.parse(line) as { port: number; remote: number }
      expect([remote, port === 4567]).to.deep.equal([4567, false])
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).to.include('hello')
      await amux.run(['computer', 'session', 'kill', id])
      await until(async () => fetch(`http://127.0.0.1:${port}/`).then(() => undefined, () => true))
    } finally {
      taken.close()
    }
  })

  it('joins one connection with its input and output', async () => {
    const server = `require('net').createServer({allowHalfOpen:true}, (s) => { let t = ''; s.on('data', (c) => t += c).on('end', () => s.end('got ' + t)) }).listen(5678, '127.0.0.1', () => console.log('up'))`
    const id = (await amux.run(['computer', 'exec', '-d', '--', 'node', '-e', server])).stdout.trim()
    await until(async () => ((await amux.run(['computer', 'session', 'logs', id])).stdout.includes('up') ? true : undefined))
    expect(await amux.run(['computer', 'proxy', '-W', 'localhost:5678'], { input: 'hello' })).to.deep.equal({ status: 0, stdout: 'got hello', stderr: '' })
    expect((await amux.run(['computer', 'proxy', '-W', 'localhost:5'])).status).to.equal(7)
    for (const bad of ['localhost', 'localhost:0', ':99999', 'a:b:1']) expect((await amux.run(['computer', 'proxy', '-W', bad])).status, bad).to.equal(2)
    expect((await amux.run(['computer', 'proxy'])).status).to.equal(2)
  })

  it('has no desktop, and says so', async () => {
    const { status, document } = await amux.json<ErrorDocument>(['computer', 'desktop'])
    expect([status, document.error.code]).to.deep.equal([4, 'unsupported'])
  })
})
