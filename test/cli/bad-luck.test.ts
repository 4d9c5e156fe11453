import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { type Ran, Scratch, bin } from '../support/amux.ts'
import { computers, disposeAll } from '../support/computers.ts'

describe('a computer’s bad luck', () => {
  let amux: Scratch

  beforeEach(async () => {
    amux = await Scratch.make()
  })
  afterEach(() => disposeAll(amux))

  it('survives amux killed at any moment of making it: the next create finishes, and nothing is left over', async function () {
    this.timeout(120_000)
    for (const moment of [60, 90, 110, 130, 150, 170, 200, 250, 300, 400]) {
      const child = spawn(process.execPath, [bin, 'computer', 'create', '-P', 'local'], { cwd: amux.project, env: amux.env(), stdio: 'ignore' })
      const timer = setTimeout(() => child.kill('SIGKILL'), moment)
      await once(child, 'exit')
      clearTimeout(timer)
      const { status, stdout, stderr } = await amux.run(['computer', 'create', '-P', 'local'])
      expect(status, `after ${moment} ms: ${stderr}`).to.equal(0)
      const all = await computers(amux)
      expect(all.map(({ name }) => name), `after ${moment} ms`).to.deep.equal([stdout.trim()])
      expect((await amux.run(['computer', 'exec', '--', 'true'])).status).to.equal(0)
      expect((await amux.run(['computer', 'rm', '--yes'])).status).to.equal(0)
      rmSync(join(amux.project, '.amux'), { recursive: true })
    }
  })

  it('survives amux killed at any moment of deleting it', async function () {
    this.timeout(120_000)
    for (const moment of [60, 90, 120, 160, 200]) {
      await amux.run(['computer', 'create', '-P', 'local'])
      const child = spawn(process.execPath, [bin, 'computer', 'rm', '--yes'], { cwd: amux.project, env: amux.env(), stdio: 'ignore' })
      const timer = setTimeout(() => child.kill('SIGKILL'), moment)
      await once(child, 'exit')
      clearTimeout(timer)
      const again = await amux.run(['computer', 'rm', '--yes'])
      expect(again.status, again.stderr).to.be.oneOf([0, 3])
      expect(await computers(amux), `after ${moment} ms`).to.deep.equal([])
    }
  })

  it('two that make and delete at once leave one computer or none, and a record that says which', async () => {
    await amux.run(['computer', 'create', '-P', 'local'])
    const [removed, made] = await Promise.all([amux.run(['computer', 'rm', '--yes']), amux.run(['computer', 'create'])])
    expect([0, 3]).to.include(removed.status)
    expect([0, 3, 6]).to.include(made.status)
    const all = await computers(amux)
    expect(all.length).to.be.at.most(1)
    expect((await amux.run(['computer', 'info'])).status).to.equal(all[0] === undefined || all[0].state === 'gone' ? 3 : 0)
  })

  it('works in a project that cannot be written, and says where it keeps the record', () => {
    if (!canMount()) return void expect(process.getuid?.()).to.not.equal(0)
    const inside = (line: string): Ran => {
      const mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec sh -c "$1"'
      return spawnSync('unshare', ['-m', 'sh', '-c', mount, amux.project, line], { env: amux.env({ NODE: process.execPath, BIN: bin }), encoding: 'utf8' })
    }
    const { status, stdout, stderr } = inside('"$NODE" "$BIN" computer create -P local && "$NODE" "$BIN" computer info --json && "$NODE" "$BIN" computer rm --yes')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain(`${amux.project} cannot be written`).and.contain(join(amux.home, 'state'))
    expect(stdout).to.contain('"state": "running"').and.contain('is deleted')
    expect(existsSync(join(amux.project, '.amux'))).to.equal(false)
  })

  it('names the disk that is full, and keeps what was there', () => {
    if (!canMount()) return void expect(process.getuid?.()).to.not.equal(0)
    const small = join(amux.path, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small])
    try {
      const run = (...args: string[]) => spawnSync(process.execPath, [bin, 'computer', ...args], { cwd: small, env: amux.env(), encoding: 'utf8' })
      expect(run('create', '-P', 'local').status).to.equal(0)
      const before = readFileSync(join(small, '.amux/computer.json'), 'utf8')
      spawnSync('sh', ['-c', 'head -c 100k /dev/zero > "$0/filler"', small])
      const full = run('create', '--new')
      expect(full.status).to.equal(7)
      expect(full.stderr).to.contain(join(small, '.amux')).and.contain('ENOSPC')
      expect(readFileSync(join(small, '.amux/computer.json'), 'utf8')).to.equal(before)
      expect(run('info').status).to.equal(0)
      rmSync(join(small, 'filler'))
      expect(run('rm', '--yes').status).to.equal(0)
    } finally {
      execFileSync('umount', ['-l', small])
    }
  })

  it('leaves nothing of a computer for which the disk is too small, and makes it once there is room', () => {
    if (!canMount()) return void expect(process.getuid?.()).to.not.equal(0)
    mkdirSync(amux.home, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', amux.home])
    const run = (...args: string[]) => spawnSync(process.execPath, [bin, ...args], { cwd: amux.project, env: amux.env(), encoding: 'utf8' })
    try {
      const failed = run('computer', 'create', '-P', 'local')
      expect({ status: failed.status, stdout: failed.stdout }).to.deep.equal({ status: 7, stdout: '' })
      expect(failed.stderr).to.contain(`the disk that holds ${amux.home}`).and.not.contain('copyfile')
      expect(JSON.parse(run('computer', 'ls', '--json').stdout)).to.deep.equal([])
      expect(run('computer', 'info').stderr).to.contain('this project has no computer')
      execFileSync('mount', ['-o', 'remount,size=300m', amux.home])
      const made = run('computer', 'create', '-P', 'local')
      expect(made.status, made.stderr).to.equal(0)
      expect(run('computer', 'rm', '--yes').status).to.equal(0)
    } finally {
      execFileSync('umount', ['-l', amux.home])
    }
  })

  it('shows a computer that lost its record, and removes it by its name', async () => {
    const name = (await amux.run(['computer', 'create', '-P', 'local'])).stdout.trim()
    await amux.run(['computer', 'stop'])
    rmSync(join(amux.home, 'data/providers/local/computers', name, 'meta.json'))
    const doctor = await amux.run(['doctor'])
    expect(doctor.status, doctor.stdout).to.equal(1)
    expect(doctor.stdout).to.contain(`amux computer rm ${name}`)
    rmSync(join(amux.project, '.amux'), { recursive: true })
    expect((await amux.run(['computer', 'rm', name, '--yes'])).stdout).to.equal(`${name} is deleted\n`)
    expect(await computers(amux)).to.deep.equal([])
  })
})

function canMount(): boolean {
  return spawnSync('unshare', ['-m', 'true']).status === 0
}
