import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Computer, GuestKit } from '../../src/contract/index.ts'
import type { Equipped } from '../../src/emulation/index.ts'
import { Lab } from './lab.ts'

describe('delivering the guest over nothing but spawn', () => {
  let lab: Lab
  /** Directories for PATH: what a computer without Node has, and what an odd one answers. */
  let tools: string
  let odd: string

  before(async () => {
    lab = await Lab.open()
    tools = mkdtempSync(join(tmpdir(), 'amux-tools-'))
    odd = mkdtempSync(join(tmpdir(), 'amux-odd-'))
    const names = 'sh cat id uname mkdir chmod mv rm ls wc cksum cut dirname find sed readlink sleep'.split(' ')
    for (const name of names) symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`]).toString().trim(), join(tools, name))
  })
  afterEach(() => lab.faults.heal())
  after(async () => {
    await lab.close()
    for (const directory of [tools, odd]) rmSync(directory, { recursive: true })
  })

  const storeOf = (computer: Pick<Computer, 'name'>) => join(lab.directory, 'c', computer.name, 'home/.local/share/amux-guest')
  const kitsOf = (computer: Pick<Computer, 'name'>) => readdirSync(join(storeOf(computer), 'kits'))

  it('copies it once, whole, and for nobody else to read', async () => {
    const raw = await lab.create()
    expect(await say(lab.equip(raw), 'echo hi')).to.equal('hi')
    const [kit] = kitsOf(raw)
    expect(kit).to.equal(lab.kit.version)
    const init = join(storeOf(raw), 'kits', lab.kit.version, 'amux-init')
    const { mtimeMs, ino } = statSync(init)
    expect(await say(lab.equip(raw), 'echo hi')).to.equal('hi')
    expect(statSync(init)).to.include({ mtimeMs, ino })
    expect(statSync(storeOf(raw)).mode & 0o777).to.equal(0o700)
    expect(statSync(join(storeOf(raw), 'guest.json')).mode & 0o777).to.equal(0o600)
  })

  it('is safe when many do it at once', async () => {
    const raw = await lab.create()
    const clients = Array.from({ length: 4 }, () => lab.equip(raw))
    expect(await Promise.all(clients.map((client, n) => say(client, `echo ${n}`)))).to.deep.equal(['0', '1', '2', '3'])
    expect(kitsOf(raw)).to.deep.equal([lab.kit.version])
    const pids = await Promise.all(clients.map((client) => say(client, 'cat "$HOME/.local/share/amux-guest/guest.json" >/dev/null; ps -o ppid= -p $PPID 2>/dev/null || echo same')))
    expect(new Set(pids).size).to.equal(1)
  })

  it('never uses what was copied in part', async () => {
    const raw = await lab.create()
    const kits = join(storeOf(raw), 'kits')
    mkdirSync(join(kits, lab.kit.version), { recursive: true })
    writeFileSync(join(kits, lab.kit.version, 'guest.js'), 'throw new Error("half")')
    expect(await say(lab.equip(raw), 'echo hi')).to.equal('hi')
    expect(existsSync(join(kits, lab.kit.version, 'complete'))).to.equal(true)
  })

  it('goes on after a delivery that broke off', async () => {
    const raw = await lab.create()
    const client = lab.equip(raw)
    for (const wait of [1, 20, 60]) {
      const work = client.sessions.list().catch((error: unknown) => error)
      await new Promise((resolve) => setTimeout(resolve, wait))
      lab.faults.cut()
      await work
    }
    await client.sessions.list()
    expect(await say(client, 'echo hi')).to.equal('hi')
    expect(kitsOf(raw).filter((name) => !name.startsWith('.'))).to.deep.equal([lab.kit.version])
  })

  it('brings Node where the computer has none', async () => {
    const raw = await lab.create({ env: { PATH: tools } })
    const client = lab.equip(raw)
    expect(await say(raw, 'command -v node || echo none')).to.equal('none')
    expect(await say(client, 'echo hi')).to.equal('hi')
    const [version = ''] = readdirSync(join(storeOf(raw), 'node'))
    expect(statSync(join(storeOf(raw), 'node', version, 'node')).size).to.equal(statSync(await lab.kit.node(process.arch)).size)
  })

  it('keeps the environment of the computer', async () => {
    const raw = await lab.create({ env: { OWN: 'a b\n"c"', PATH: `/opt/own/bin:${process.env['PATH'] ?? ''}` } })
    expect(await say(lab.equip(raw), 'printf "%s|%s" "$OWN" "${PATH%%:*}"')).to.equal('a b\n"c"|/opt/own/bin')
  })

  it('replaces a guest of another version, but not over living sessions', async () => {
    const raw = await lab.create()
    const old = lab.equip(raw)
    const live = await old.sessions.start(['sh', '-c', 'read line; echo "got:$line"'], { detached: true })
    const newer = lab.equip(raw, { kit: another(lab.kit, 'newer') })
    await newer.sessions.send(live.session.id, Buffer.from('x\n'))
    await newer.sessions.wait(live.session.id)
    expect(kitsOf(raw)).to.deep.equal([lab.kit.version])

    const newest = lab.equip(raw, { kit: another(lab.kit, 'newest') })
    expect((await newest.sessions.list()).map(({ id }) => id)).to.deep.equal([live.session.id])
    expect(kitsOf(raw)).to.include('newest')
    expect(JSON.parse(readFileSync(join(storeOf(raw), 'guest.json'), 'utf8'))).to.include({ version: 'newest' })
    expect(await say(newest, 'echo hi')).to.equal('hi')
  })

  it('is not undone by a guest that crashes', async () => {
    const computer = await lab.computer()
    const live = await computer.sessions.start(['sh', '-c', 'echo first; read line; echo "second:$line"'])
    const iterator = live.stdout[Symbol.asyncIterator]()
    expect(String(Buffer.from((await iterator.next()).value ?? []))).to.equal('first\n')
    await say(computer, 'for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" = amux-guest ] && tr "\\0" "\\n" < $p/environ | grep -qx "HOME=$HOME" && kill -9 ${p#/proc/}; done; true').catch(() => '')
    await live.stdin.write(Buffer.from('x\n'))
    let rest = ''
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) rest += Buffer.from(next.value).toString()
    expect(rest).to.equal('second:x\n')
    expect(await live.exit).to.deep.equal({ code: 0 })
  })

  it('says what is missing, and leaves what the provider has', async () => {
    const raw = await lab.create()
    rmSync(join(lab.directory, 'c', raw.name, 'home'), { recursive: true })
    symlinkSync('/proc/amux-nowhere', join(lab.directory, 'c', raw.name, 'home'))
    const client = lab.equip(raw)
    const error = await client.sessions.list().catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'unsupported', computer: raw.name, provider: 'process' })
    const program = await client.spawn(['echo', 'still'], { cwd: '/' })
    expect(await textOf(program.stdout)).to.equal('still\n')
    const { sessions, exec } = await client.capabilities()
    expect([sessions.fidelity, exec.fidelity]).to.deep.equal(['unavailable', 'native'])
    expect(sessions.note).to.match(/cannot write/)
  })

  it('refuses a computer without any Node where amux has none for it', async () => {
    const raw = await lab.create({ env: { PATH: `${odd}:${tools}` } })
    writeFileSync(join(odd, 'uname'), '#!/bin/sh\necho riscv64\n')
    chmodSync(join(odd, 'uname'), 0o755)
    const error = await lab.equip(raw).sessions.list().catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'unsupported' })
    expect(String(error)).to.match(/riscv64/)
  })
})

function another(kit: GuestKit, version: string): GuestKit {
  return { init: (arch) => kit.init(arch), node: (arch) => kit.node(arch), tools: (arch) => kit.tools(arch), scripts: kit.scripts, npm: kit.npm, version, toolsVersion: kit.toolsVersion }
}

async function say(computer: Pick<Equipped, 'spawn'> | Pick<Computer, 'spawn'>, script: string): Promise<string> {
  const program = await computer.spawn(['sh', '-c', script])
  await program.stdin.end()
  return (await textOf(program.stdout)).trim()
}

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of source) parts.push(chunk)
  return Buffer.concat(parts).toString()
}
