import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { SessionInfo } from '../../src/protocol/index.ts'
import { Frame } from '../../src/protocol/index.ts'
import { alive, Lab, until } from './lab.ts'

const tty = { cols: 80, rows: 24 }

describe('guest: sessions', () => {
  let lab: Lab
  before(async () => (lab = await Lab.open()))
  after(() => lab.close())

  const start = async (script: string, more = {}) => (await lab.exec({ argv: ['sh', '-c', script], detached: true, ...more }).started()).session
  const kill = async (id: string, body: object = { grace: 0 }) => JSON.parse((await lab.call('POST', `/v1/sessions/${id}/kill`, body)).body.toString()) as SessionInfo
  const ended = async (id: string) => JSON.parse((await lab.call('GET', `/v1/sessions/${id}?wait=1`)).body.toString()) as SessionInfo

  it('keeps a detached session after its end, until it is removed', async () => {
    const { id, name } = await start('echo words; exit 9', { name: 'nine', labels: { agent: 'none' } })
    expect(name).to.equal('nine')
    const info = await ended(id)
    expect(info.state).to.deep.include({ status: 'exited', code: 9 })
    expect(info.labels).to.deep.equal({ agent: 'none' })
    const log = lab.logs(id)
    await log.over
    expect(log.stdout).to.equal('words\n')
    expect((await lab.call('DELETE', `/v1/sessions/${id}`)).status).to.equal(204)
    expect((await lab.call('GET', `/v1/sessions/${id}`)).status).to.equal(404)
    await until(() => !existsSync(join(lab.dir, 'sessions', id)))
  })

  it('finds a living session by name, and lets only one live under it', async () => {
    const first = await start('sleep 100', { name: 'same' })
    expect((await lab.info('same')).id).to.equal(first.id)
    const second = lab.exec({ argv: ['true'], name: 'same' })
    await second.over
    expect(second.error?.code).to.equal('conflict')
    expect((await lab.call('DELETE', `/v1/sessions/same`)).status).to.equal(409)
    await kill(first.id)
    const third = await start('sleep 100', { name: 'same' })
    expect((await lab.info('same')).id).to.equal(third.id)
    await kill(third.id)
  })

  it('refuses a name twice also at the same moment', async () => {
    const both = [1, 2].map(() => lab.exec({ argv: ['sleep', '100'], name: 'twin', detached: true }))
    await Promise.all(both.map((program) => program.started()))
    const codes = both.map(({ error }) => error?.code)
    expect(codes.filter((code) => code === 'conflict')).to.have.length(1)
    await kill('twin')
  })

  it('types into a session nobody looks at', async () => {
    const { id } = await start('while read line; do echo "got $line"; done; echo over')
    expect((await lab.call('POST', `/v1/sessions/${id}/input`, Buffer.from('one\ntwo\n'))).status).to.equal(204)
    expect((await lab.call('POST', `/v1/sessions/${id}/input?eof=1`, Buffer.from('three\n'))).status).to.equal(204)
    await ended(id)
    const log = lab.logs(id)
    await log.over
    expect(log.stdout).to.equal('got one\ngot two\ngot three\nover\n')
    expect((await lab.call('POST', `/v1/sessions/${id}/input`, Buffer.from('x'))).status).to.equal(409)
  })

  it('ends the input of a terminal in the middle of a line', async () => {
    const { id } = await start('cat; echo over', { tty })
    await lab.call('POST', `/v1/sessions/${id}/input?eof=1`, Buffer.from('no newline'))
    expect((await ended(id)).state).to.deep.include({ status: 'exited', code: 0 })
  })

  it('ends daemons too', async () => {
    const { id } = await start('setsid sh -c "setsid sleep 1001 & sleep 1002" & (setsid nohup sleep 1003 >/dev/null 2>&1 &); echo $$; sleep 1004')
    const names = ['1001', '1002', '1003', '1004']
    await until(async () => (await sleepers(names)).length === 4)
    const info = await kill(id, { grace: 2000 })
    expect(info.state).to.deep.include({ status: 'killed', signal: 'SIGTERM' })
    expect(await sleepers(names)).to.deep.equal([])
  })

  it('ends what its ended program left', async () => {
    const { id } = await start('(setsid sleep 1011 >/dev/null 2>&1 &); exit 6')
    expect((await ended(id)).state).to.deep.include({ status: 'exited', code: 6 })
    expect(await sleepers(['1011'])).to.have.length(1)
    await kill(id, {})
    expect(await sleepers(['1011'])).to.deep.equal([])
    expect((await lab.info(id)).state).to.deep.include({ status: 'exited', code: 6 })
  })

  it('kills in the end whoever ignores everything else', async () => {
    const { id } = await start('trap "" TERM HUP INT; echo up; while :; do sleep 0.1; done')
    await lab.logs(id, '?follow=1').saw('up')
    const info = await kill(id, { grace: 200 })
    expect(info.state).to.deep.include({ status: 'killed', signal: 'SIGKILL' })
  })

  it('ends an interactive shell, which ignores SIGTERM, well before the grace is over', async () => {
    const program = await lab.exec({ argv: ['bash', '--norc', '-i'], tty, detached: true, env: { PS1: '$ ' } }).saw('$ ')
    const info = await kill(program.session.id, { grace: 60_000 })
    expect(info.state).to.deep.include({ status: 'killed', signal: 'SIGHUP' })
  })

  it('ends a tied program, tree and all, when its owner is lost', async () => {
    const program = await lab.exec({ argv: ['sh', '-c', '(setsid sleep 1021 &); echo up; sleep 1022'], tied: true }).saw('up')
    await until(async () => (await sleepers(['1021', '1022'])).length === 2)
    program.drop()
    await until(async () => (await sleepers(['1021', '1022'])).length === 0)
    await until(async () => (await lab.list()).every(({ id }) => id !== program.session.id))
  })

  it('keeps a program whose owner is lost, and says so', async () => {
    const program = await lab.exec({ argv: ['sh', '-c', 'echo up; sleep 1000'] }).saw('up')
    expect((await lab.info(program.session.id)).owned).to.equal(true)
    lab.cut()
    await until(async () => !(await lab.info(program.session.id)).owned)
    const info = await lab.info(program.session.id)
    expect([info.state.status, info.viewers]).to.deep.equal(['running', 0])
    await kill(program.session.id)
  })

  it('hands a session over, and tells the one before', async () => {
    const first = await lab.exec({ argv: ['cat'] }).started()
    const { id } = first.session
    const second = await lab.attach({ id }).started()
    await first.until(({ disowned }) => disowned)
    first.type('not any more\n')
    second.type('from the new one\n')
    await Promise.all([first.saw('from the new one\n'), second.saw('from the new one\n')])
    second.eof()
    await Promise.all([first.over, second.over])
    expect([first.stdout, first.exit, second.exit]).to.deep.equal(['from the new one\n', { code: 0 }, { code: 0 }])
  })

  it('lets readers look without a say', async () => {
    const owner = await lab.exec({ argv: ['cat'] }).started()
    const reader = await lab.attach({ id: owner.session.id, readOnly: true }).started()
    reader.type('no\n')
    reader.tell(Frame.signal, 'KILL')
    owner.type('yes\n')
    await reader.saw('yes\n')
    owner.eof()
    await Promise.all([owner.over, reader.over])
    expect([reader.stdout, reader.exit]).to.deep.equal(['yes\n', { code: 0 }])
  })

  it('lives on a full or missing log', async () => {
    const program = await lab.exec({ argv: ['sh', '-c', 'read go; seq 1 50000; echo over'] }).started()
    const { rmSync } = await import('node:fs')
    rmSync(join(lab.dir, 'sessions', program.session.id), { recursive: true })
    program.type('go\n')
    await program.over
    expect(program.stdout.split('\n')).to.have.length(50_002)
  })

  it('loses no output where nothing can be kept, however early it comes', async () => {
    const sessions = join(lab.dir, 'sessions')
    const { renameSync, rmSync, writeFileSync } = await import('node:fs')
    renameSync(sessions, `${sessions}.away`)
    writeFileSync(sessions, 'no directory')
    for (let round = 0; round < 30; round++) {
      const programs = [{}, { tty: { cols: 80, rows: 24 } }].map((more) => lab.sh(`seq ${round} ${round + 3}`, more))
      for (const { stdout } of await Promise.all(programs)) expect(stdout.replaceAll('\r', '')).to.equal([0, 1, 2, 3].map((n) => `${round + n}\n`).join(''))
    }
    rmSync(sessions)
    renameSync(`${sessions}.away`, sessions)
  })

  it('runs 200 at once with 50 looked at', async () => {
    const programs = Array.from({ length: 200 }, (_, index) => lab.exec({ argv: ['sh', '-c', `read x; seq ${index} ${index + 400}; exit ${index}`], detached: index >= 50 }))
    await Promise.all(programs.map((program) => program.started()))
    expect((await lab.list()).filter(({ state }) => state.status === 'running')).to.have.length(200)
    programs.slice(50).forEach((program) => program.tell(Frame.detach))
    await Promise.all(programs.map(({ session }) => lab.call('POST', `/v1/sessions/${session.id}/input`, Buffer.from('go\n'))))
    const infos = await Promise.all(programs.slice(50).map(({ session }) => ended(session.id)))
    expect(infos.map(({ state }) => 'code' in state && state.code)).to.deep.equal(Array.from({ length: 150 }, (_, index) => index + 50))
    await Promise.all(programs.slice(0, 50).map((program) => program.over))
    programs.slice(0, 50).forEach((program, index) => {
      expect([program.exit?.code, program.stdout]).to.deep.equal([index, Array.from({ length: 401 }, (_, at) => `${at + index}\n`).join('')])
    })
    await Promise.all(infos.map(({ id }) => lab.call('DELETE', `/v1/sessions/${id}`)))
  }).timeout(60_000)

  it('leaves no process, socket or directory behind', async () => {
    for (const { id } of await lab.list()) await lab.call('DELETE', `/v1/sessions/${id}`)
    // One is ready for the next program.
    await until(() => readdirSync(join(lab.config.run, 's')).length === 0 && readdirSync(join(lab.dir, 'sessions')).length === 0)
    const { pid } = await lab.hello()
    expect(alive(pid)).to.equal(true)
  })

  async function sleepers(seconds: readonly string[]): Promise<string[]> {
    const { stdout } = await lab.sh('ps -eo args=')
    return stdout.split('\n').filter((line) => seconds.some((second) => line === `sleep ${second}`))
  }
})
