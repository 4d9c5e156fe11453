import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { ErrorDocument, RunOptions, Scratch } from '../../../test/support/amux.ts'
import { scratchWith } from '../../../test/support/plugins.ts'
import { type Lab, lab } from './support.ts'

describe("a project's sprite whose labels somebody replaced", function () {
  this.timeout(300_000)
  let at: Lab
  let scratch: Scratch
  let env: NonNullable<RunOptions['env']>
  const run = (...args: string[]) => scratch.run(['computer', ...args], { env })
  const states = async () => (await scratch.json<{ name: string; state: string }[]>(['computer', 'ls', '--project'], { env })).document.map(({ name, state }) => [name, state])

  before(async () => {
    at = await lab()
    scratch = await scratchWith('sprites')
    env = { SPRITES_TOKEN: at.token, SPRITES_API_URL: at.url }
  })
  after(async () => {
    at.client.close()
    await at.end()
    await scratch.dispose()
  })

  async function relabelled(): Promise<void> {
    const made = await run('create', '-P', 'sprites', '--name', 'mine')
    expect(made.status, made.stderr).to.equal(0)
    await at.client.json('PUT', '/v1/sprites/mine', { body: { labels: ['theirs'] } })
  }

  it('is listed as it is, and removed: the record says that it is ours', async () => {
    await relabelled()
    expect(await states()).to.deep.equal([['mine', 'running']])
    expect((await run('rm')).status).to.equal(5)
    expect(await run('rm', '--yes')).to.include({ status: 0, stdout: 'mine is deleted\n' })
    expect(await states()).to.deep.equal([])
  })

  it('is gone where another one has its name, and that one is left alone', async () => {
    await relabelled()
    await at.client.json('DELETE', '/v1/sprites/mine')
    await at.client.json('POST', '/v1/sprites', { body: { name: 'mine' } })
    expect(await states()).to.deep.equal([['mine', 'gone']])
    const { status, stderr } = await run('rm', '--yes')
    expect([status, stderr]).to.have.nested.property('[0]', 6)
    expect(stderr).to.include('was not made by amux')
    expect(await at.client.json('GET', '/v1/sprites/mine')).to.include({ name: 'mine' })
  })

  it('of somebody else is said to need --adopt, and what amux puts on it', async () => {
    await at.client.json('POST', '/v1/sprites', { body: { name: 'theirs' } })
    const { document } = await scratch.json<ErrorDocument>(['computer', 'create', '-P', 'sprites', '--new', '--name', 'theirs'], { env })
    expect(document.error).to.include({ code: 'already_exists', hint: 'Use that one: amux computer use theirs -P sprites --adopt. Or choose another --name.' })
    const asked = await run('use', 'theirs', '-P', 'sprites', '--adopt')
    expect(asked.status).to.equal(5)
    expect(asked.stderr).to.include('small programs of its own').and.not.to.include('guest')
  })

  it('names the service that needs another where that is to be removed', async () => {
    expect((await run('use', 'theirs', '-P', 'sprites', '--adopt', '--yes')).status).to.equal(0)
    for (const words of [['a'], ['b', '--needs', 'a']]) {
      const { status, stderr } = await run('service', 'create', ...words, '-w', '/', '--', 'sleep', '1000')
      expect(status, stderr).to.equal(0)
    }
    const { status, stderr } = await run('service', 'rm', 'a', '--yes')
    expect(status, stderr).to.equal(6)
    expect(stderr).to.include('amux computer service rm b')
  })

  it('says that a link may not be read, where it may not', async function () {
    if ((await run('exec', '-c', 'theirs', '--', 'readlink', '/proc/1/root')).status === 0) {
      console.warn('\n!!! NOTHING IS FORBIDDEN HERE: what is said of a link that may not be read is not tested\n')
      this.skip()
    }
    const { status, stderr } = await run('fs', 'ls', '/proc/1/root', '-c', 'theirs')
    expect(stderr).to.include('permission denied')
    expect(status).to.equal(1)
  })
})
