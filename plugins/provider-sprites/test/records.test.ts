import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { RunOptions, Scratch } from '../../../test/support/amux.ts'
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
})
