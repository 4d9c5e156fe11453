import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Lab, until } from './lab.ts'

describe('guest: programs without a terminal', () => {
  let lab: Lab
  before(async () => (lab = await Lab.open()))
  after(() => lab.close())

  it('passes every exit status through', async () => {
    const all = await Promise.all(Array.from({ length: 256 }, (_, code) => lab.sh(`exit ${code}`)))
    expect(all.map(({ exit }) => exit?.code)).to.deep.equal(Array.from({ length: 256 }, (_, code) => code))
  })

  it('names the signal a program died by', async () => {
    for (const name of ['HUP', 'INT', 'KILL', 'TERM', 'SEGV', 'ABRT', 'USR1']) {
      const program = await lab.sh(`kill -${name} $$`)
      expect(program.exit).to.deep.equal({ signal: `SIG${name}` })
    }
  })

  it('keeps stdout and stderr apart, byte for byte', async () => {
    const data = randomBytes(300_000)
    writeFileSync(join(lab.dir, 'data'), data)
    const program = await lab.sh(`cat ${lab.dir}/data; echo problem >&2`)
    expect(program.bytes.equals(data)).to.equal(true)
    expect(program.stderr).to.equal('problem\n')
    expect(program.done).to.deep.equal({ stdout: 300_000, stderr: 8 })
  })

  it('carries binary input both ways and its end', async () => {
    const data = randomBytes(5 << 20)
    const program = lab.exec({ argv: ['cat'] })
    for (let at = 0; at < data.length; at += 65_536) program.type(data.subarray(at, at + 65_536))
    program.eof()
    await program.over
    expect(program.bytes.equals(data)).to.equal(true)
    expect(program.exit).to.deep.equal({ code: 0 })
  })

  it('gives a program without input its end at once', async () => {
    expect((await lab.sh('wc -c')).stdout.trim()).to.equal('0')
  })

  it('passes arguments exactly', async () => {
    const words = ['', ' ', 'a b', `'"`, '$HOME `id` \\', 'line\nbreak\n', '--', '-x', '*', 'ü€𝄞', '\u{1b}[31m']
    const program = lab.exec({ argv: ['printf', '%s\\0', ...words] })
    await program.over
    expect(program.stdout.split('\0').slice(0, -1)).to.deep.equal(words)
  })

  it('passes arguments of 100 KB, and says when they are too long', async () => {
    const word = 'x'.repeat(100_000)
    const program = lab.exec({ argv: ['printf', '%s', word] })
    await program.over
    expect(program.stdout).to.equal(word)
    const refused = lab.exec({ argv: ['true', 'x'.repeat(200_000)] })
    await refused.over
    expect(refused.error).to.deep.include({ code: 'invalid_argument' })
  })

  it('says why a program cannot run', async () => {
    writeFileSync(join(lab.dir, 'plain'), 'not executable')
    writeFileSync(join(lab.dir, 'orphan'), '#!/no/such/interpreter\n', { mode: 0o755 })
    writeFileSync(join(lab.dir, 'noise'), 'echo a script without a first line\n', { mode: 0o755 })
    mkdirSync(join(lab.dir, 'bin', 'tool'), { recursive: true })
    const codeOf = async (argv: string[], more = {}) => {
      const program = lab.exec({ argv, ...more })
      await program.over
      return program.error?.code
    }
    expect(await codeOf(['no-such-program'])).to.equal('program_not_found')
    expect(await codeOf(['/no/such/program'])).to.equal('program_not_found')
    expect(await codeOf([''])).to.equal('program_not_found')
    expect(await codeOf([join(lab.dir, 'plain')])).to.equal('program_not_executable')
    expect(await codeOf([join(lab.dir, 'noise')])).to.equal('program_not_executable')
    expect(await codeOf([join(lab.dir, 'orphan')])).to.equal('program_not_executable')
    expect(await codeOf([lab.dir])).to.equal('program_not_executable')
    expect(await codeOf(['tool'], { env: { PATH: join(lab.dir, 'bin') } })).to.equal('program_not_found')
    expect(await codeOf(['true'], { cwd: '/no/such/directory' })).to.equal('not_found')
    expect(await codeOf(['true'], { user: 'nobody-at-all' })).to.equal('not_found')
    expect(await codeOf([])).to.equal('invalid_argument')
  })

  it('hints at a shell line given as one word', async () => {
    const program = lab.exec({ argv: ['ls -l'] })
    await program.over
    expect(program.error?.hint).to.contain('sh -c')
  })

  it('merges the environment and finds programs by the path of the request', async () => {
    mkdirSync(join(lab.dir, 'tools'), { recursive: true })
    writeFileSync(join(lab.dir, 'tools', 'hello-tool'), '#!/bin/sh\necho "$FROM_COMPUTER $EXTRA $HOME"\n', { mode: 0o755 })
    const program = lab.exec({ argv: ['hello-tool'], env: { EXTRA: 'more', PATH: `${lab.dir}/tools:/usr/bin:/bin` } })
    await program.over
    expect(program.stdout).to.equal(`yes more ${lab.config.user.home}\n`)
  })

  it('starts in the home directory, or where it is told, relative to it', async () => {
    expect((await lab.sh('pwd')).stdout).to.equal(`${lab.config.user.home}\n`)
    expect((await lab.sh('pwd', { cwd: lab.dir })).stdout).to.equal(`${lab.dir}\n`)
    expect((await lab.sh('pwd', { cwd: '..' })).stdout).to.equal(`${join(lab.config.user.home, '..')}\n`)
  })

  it('waits for late output of what the program left running', async () => {
    const program = await lab.sh('(sleep 0.4; echo late) & echo early; exit 4')
    expect(program.stdout).to.equal('early\nlate\n')
    expect(program.exit).to.deep.equal({ code: 4 })
  })

  it('loses nothing of a thousand short programs', async () => {
    const batch = async (from: number) => Promise.all(Array.from({ length: 20 }, (_, index) => lab.sh(`seq ${from + index} ${from + index + 500}`)))
    for (let from = 0; from < 1000; from += 20) {
      const programs = await batch(from)
      programs.forEach((program, index) => {
        const lines = program.stdout.split('\n')
        expect([lines.length, lines[0], lines[500]]).to.deep.equal([502, String(from + index), String(from + index + 500)])
      })
    }
  }).timeout(60_000)

  it('leaves no record of a program that ended before its owner left', async () => {
    await lab.sh('echo gone')
    await until(async () => (await lab.list()).every(({ argv }) => !argv.join(' ').includes('echo gone')))
  })

  it('delivers a signal to the group of a program', async () => {
    const program = lab.exec({ argv: ['sh', '-c', 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.05; done'] })
    await program.saw('ready')
    program.tell(9, 'INT')
    await program.over
    expect([program.stdout, program.exit]).to.deep.equal(['ready\ncaught\n', { code: 7 }])
  })

  it('gives a program nothing but its own three descriptors', async () => {
    const others = await Promise.all(Array.from({ length: 5 }, (_, index) => lab.exec({ argv: ['sleep', '100'], ...(index % 2 === 0 && { tty: { cols: 80, rows: 24 } }) }).started()))
    const program = await lab.sh('ls /proc/self/fd')
    expect(program.stdout.trim().split('\n').filter((fd) => Number(fd) > 3)).to.deep.equal([])
    for (const other of others) {
      other.tell(9, 'KILL')
      await other.over
    }
  })

  it('tells the typist when nobody reads any more', async () => {
    const program = lab.exec({ argv: ['sh', '-c', 'exec <&-; echo closed; sleep 100'] })
    await program.saw('closed')
    await program.until(({ taken }) => taken === 2n ** 64n - 1n)
    program.tell(9, 'KILL')
    await program.over
  })
})
