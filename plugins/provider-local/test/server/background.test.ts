import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ErrorDocument, Scratch, bin } from '../../../../test/support/amux.ts'
import { dial } from './talk.ts'

interface Status {
  readonly running: boolean
  readonly url: string
  readonly token_file: string
  readonly pid: number
}

const ANY = ['--listen', '127.0.0.1:0']

describe('amux local serve and its kin', () => {
  let scratch: Scratch
  before(async () => (scratch = await Scratch.make()))
  after(async () => {
    await scratch.run(['local', 'server', 'stop'])
    await scratch.dispose()
  })

  const start = () => scratch.json<Status>(['local', 'server', 'start', ...ANY])
  const status = async () => (await scratch.json<Status>(['local', 'server', 'status'])).document
  const tokenOf = async ({ token_file }: Status) => (await readFile(token_file, 'utf8')).trim()
  const ask = (server: Status, token: string, path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } })

  it('starts one, says where it is and where its token is, and never the token', async () => {
    const { status: code, stdout, stderr } = await scratch.run(['local', 'server', 'start', ...ANY])
    const server = await status()
    const token = await tokenOf(server)
    expect([code, stderr]).to.deep.equal([0, ''])
    expect(stdout).to.include(`SPRITES_API_URL=${server.url}`).and.to.include(server.token_file)
    expect(stdout).not.to.include(token)
    expect((await stat(server.token_file)).mode & 0o777).to.equal(0o600)
    expect([(await ask(server, token, '/v1/sprites')).status, (await ask(server, 'wrong', '/v1/sprites')).status]).to.deep.equal([200, 401])
  })

  it('starts no second one, in the background or not, and says where the first is', async () => {
    const { url } = await status()
    for (const words of [['server', 'start', ...ANY], ['serve', ...ANY], ['serve', '--detach', ...ANY]]) {
      const { status: code, document } = await scratch.json<ErrorDocument>(['local', ...words])
      expect([code, document.error.code, document.error.message.includes(url)]).to.deep.equal([6, 'conflict', true])
    }
  })

  it('finds computers and their programs again after it was killed', async () => {
    const server = await status()
    const token = await tokenOf(server)
    expect((await ask(server, token, '/v1/sprites', { method: 'POST', body: '{"name":"kept","labels":["a"]}' })).status).to.equal(201)
    const program = dial(server, '/v1/sprites/kept/exec?cmd=sh&cmd=-c&cmd=echo+one;read+x;echo+two;sleep+1000&stdin=true&max_run_after_disconnect=0', { token })
    await program.until(() => program.text(1) === 'one\n')
    process.kill(server.pid, 'SIGKILL')
    expect(await program.closed).to.equal(1006)
    expect((await scratch.run(['local', 'server', 'status'])).status).to.equal(3)
    await start()
    const next = await status()
    expect(next.pid).not.to.equal(server.pid)
    expect(await (await ask(next, token, '/v1/sprites/kept')).json()).to.deep.include({ name: 'kept', labels: ['a'], status: 'running' })
    const again = dial(next, `/v1/sprites/kept/exec/${program.info.session_id}`, { token })
    await again.until(({ info }) => info !== undefined)
    again.send(0, '\n')
    await again.until(() => again.text(1).endsWith('two\n'))
    expect((again.info.stdout_offset ?? 0) + again.text(1).length).to.equal(8)
    again.socket.close(1000)
    expect((await ask(next, token, '/v1/sprites/kept', { method: 'DELETE' })).status).to.equal(204)
  })

  it('ends it, and says so when there is none', async () => {
    expect((await scratch.run(['local', 'server', 'stop'])).stdout).to.equal('Stopped.\n')
    expect((await scratch.run(['local', 'server', 'stop'])).stdout).to.equal('No server runs.\n')
    expect((await status()).running).to.equal(false)
    expect((await scratch.run(['local', 'server', 'logs'])).stdout).to.match(/serves at http.*\n.*stopped\n$/s)
  })

  it('serves in the foreground until it is interrupted', async () => {
    const child = spawn(process.execPath, [bin, 'local', 'serve', '--json', ...ANY], { env: scratch.env(), stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      const server = JSON.parse(line.toString()) as Status & { readonly type: string }
      expect([server.type, (await status()).pid]).to.deep.equal(['listening', child.pid])
      child.kill('SIGINT')
      expect(await once(child, 'exit')).to.deep.equal([0, null])
      expect((await status()).running).to.equal(false)
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('warns where others on the network could read the token, and names no address that amux would not use', async () => {
    for (const [words, address] of [[['--listen', '0.0.0.0:0'], '127.0.0.1'], [['--listen', '[::]:0'], '[::1]']] as const) {
      const { status: code, stdout, stderr } = await scratch.run(['local', 'server', 'start', ...words])
      expect(code).to.equal(0)
      expect(stderr).to.include('not encrypted').and.to.include('--tls-cert FILE --tls-key FILE')
      const { port } = new URL((await status()).url)
      expect(stdout).to.include(`SPRITES_API_URL=http://${address}:${port}\n`)
      await scratch.run(['local', 'server', 'stop'])
    }
    const child = spawn(process.execPath, [bin, 'local', 'serve', '--json', '--listen', '0.0.0.0:0'], { env: scratch.env(), stdio: ['ignore', 'ignore', 'pipe'] })
    try {
      const [line] = (await once(child.stderr, 'data')) as [Buffer]
      expect(line.toString()).to.include('not encrypted')
    } finally {
      child.kill('SIGINT')
      await once(child, 'exit')
    }
  })

  it('says why it does not start', async () => {
    const file = join(scratch.path, 'token')
    await writeFile(file, 'abcdefgh\n')
    await chmod(file, 0o644)
    const { status: readable, document } = await scratch.json<ErrorDocument>(['local', 'server', 'start', ...ANY, '--token-file', file])
    expect([readable, document.error.code, document.error.hint]).to.deep.equal([1, 'permission_denied', `chmod 600 ${file}`])
    for (const words of [['--listen', 'nowhere'], ['--listen', '127.0.0.1:99999'], ['--tls-cert', file], ['--tls-cert', '/no/such', '--tls-key', '/no/such']]) {
      expect((await scratch.json<ErrorDocument>(['local', 'server', 'start', ...words])).document.error.code, words.join(' ')).to.equal('invalid_argument')
    }
    expect((await status()).running).to.equal(false)
  })
})
