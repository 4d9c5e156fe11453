import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AsideOptions, Computer } from '../../../src/contract/index.ts'
import { type Bench, bench, failure, finish, kit, sh } from './support.ts'

describe('a program aside of a local computer', () => {
  let local: Bench
  let computer: Computer
  let project: string
  let tools: string
  before(async () => {
    tools = await mkdtemp(join(tmpdir(), 'amux-tools-'))
    await writeFile(join(tools, 'tool'), '#!/bin/sh\necho a tool\n', { mode: 0o755 })
    await copyFile(join(await (await kit()).tools(process.arch), 'amux-net'), join(tools, 'amux-net'))
    local = await bench(undefined, { tools: async () => tools })
    project = await mkdtemp(join(tmpdir(), 'amux-project-'))
    await writeFile(join(project, 'file'), 'of the project')
    computer = await local.create({ project: { path: project, name: 'p' } })
    await sh(computer, 'echo mine > ~/note')
  })
  after(async () => {
    await local.end()
    for (const path of [project, tools]) await rm(path, { recursive: true, force: true })
  })

  const aside = async (script: string, options: AsideOptions) => {
    const program = await computer.aside?.(['sh', '-c', script], options)
    if (!program) throw new Error('no aside')
    return finish(program)
  }

  it('sees disk, project and store of the running computer, and changes them', async () => {
    const home = (await computer.info()).user?.home ?? ''
    const { stdout, stderr } = await aside(`cat "/computer${home}/note" "/computer${project}/file"; ls /store; echo outside > "/computer${home}/left"; ls /computer/proc | wc -l`, {
      root: true,
      store: true,
    })
    expect(stdout, stderr).to.match(/^mine\nof the project/).and.include('guest.json')
    expect(await sh(computer, 'cat ~/left')).to.equal('outside')
  })

  it('is out of the computer\'s reach', async () => {
    const program = await computer.aside?.(['sleep', '76543'], { store: true })
    expect(await sh(computer, 'ps ax | grep -c "[s]leep 76543" || true')).to.equal('0')
    await program?.kill('SIGKILL')
    expect(await program?.exit).to.deep.equal({ signal: 'SIGKILL' })
  })

  it('sees the machine read-only, and only what it asked for of the computer', async () => {
    const { stdout } = await aside('touch /usr/x 2>&1; ls /computer /store 2>&1; echo $((1+1)) > /tmp/t && cat /tmp/t', {})
    expect(stdout).to.include('Read-only').and.include('2\n')
    expect(stdout.match(/No such file/g)).to.have.length(2)
  })

  it('finds amux\'s own programs, also where amux is in a directory that it does not see', async () => {
    expect((await aside('/amux/tool; touch /amux/x 2>&1', {})).stdout).to.match(/^a tool\n.*Read-only/)
  })

  it('is alone with what of the store is amux\'s only', async () => {
    await aside('echo secret > /store/checkpoints/x; echo secret > /store/network/x', { store: true })
    expect(await sh(computer, 'cat /run/amux/store/*/x 2>/dev/null; ls /run/amux/store/checkpoints /run/amux/store/network')).not.to.match(/secret|\bx\b/)
    expect((await aside('cat /store/checkpoints/x /store/network/x; rm /store/checkpoints/x /store/network/x', { store: true })).stdout).to.equal('secret\nsecret\n')
  })

  it('works on a stopped one, which cannot start meanwhile', async () => {
    await computer.stop()
    const home = (await computer.info()).user?.home ?? ''
    expect((await failure(computer.aside?.(['true'], { net: true }) ?? Promise.resolve())).code).to.equal('not_running')
    const program = await computer.aside?.(['sh', '-c', `cat "/computer${home}/note"; echo while stopped > "/computer${home}/stopped"; cat`], { root: true })
    if (!program) throw new Error('no aside')
    expect((await failure(computer.aside?.(['true'], { root: true }) ?? Promise.resolve())).code).to.equal('locked')
    const starting = computer.start()
    await program.stdin.end()
    expect((await finish(program)).stdout).to.equal('mine\n')
    await starting
    expect(await sh(computer, 'cat ~/stopped')).to.equal('while stopped')
  })
})
