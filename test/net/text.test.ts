import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policy, tool } from './fence.ts'

describe('the text of a policy', () => {
  let dir: string
  beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'amux-policy-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const run = (command: string, input = '', at = dir) => spawnSync(tool, [command, at], { input, encoding: 'utf8' })

  it('is stored whole while no server runs, and shown', () => {
    const place = join(dir, 'network')
    const text = policy('allow good.test', 'deny *.evil.test', 'allow *')
    expect(run('show', '', place).stdout).to.equal('{"rules":[]}\n')
    expect(run('apply', text, place)).to.include({ status: 0, stdout: 'stored\n' })
    expect(readFileSync(join(place, 'policy'), 'utf8')).to.equal(text)
    expect(statSync(place).mode & 0o777).to.equal(0o700)
    expect(statSync(join(place, 'policy')).mode & 0o777).to.equal(0o600)
    expect(readdirSync(place)).to.have.members(['lock', 'policy'])
    expect(run('show', '', place).stdout).to.equal(`${text.split('\n')[1]?.slice('document '.length)}\n`)
    expect(run('apply', 'amux-policy 1', place).stdout).to.equal('stored\n')
    expect(run('show', '', place).stdout).to.equal('{"rules":[]}\n')
  })

  it('is refused whole, naming the line, when one is wrong', () => {
    run('apply', policy('allow good.test'))
    const long = `${'a'.repeat(63)}.`.repeat(4)
    const wrong: readonly (readonly [string, number])[] = [
      ['', 1],
      ['amux-policy 2\n', 1],
      ['{"rules":[]}', 1],
      ['amux-policy 1\nallow good.test\nallow \n', 3],
      ['amux-policy 1\nallow UPPER.test\n', 2],
      ['amux-policy 1\nallow good.test.\n', 2],
      ['amux-policy 1\nallow .good.test\n', 2],
      ['amux-policy 1\nallow a..b\n', 2],
      ['amux-policy 1\nallow *x.test\n', 2],
      ['amux-policy 1\nallow a.*.test\n', 2],
      ['amux-policy 1\nallow *.\n', 2],
      ['amux-policy 1\nallow *.*\n', 2],
      [`amux-policy 1\nallow ${'a'.repeat(64)}.test\n`, 2],
      [`amux-policy 1\nallow ${long}test\n`, 2],
      ['amux-policy 1\nallow b\u00fccher.test\n', 2],
      ['amux-policy 1\nallow a b\n', 2],
      ['amux-policy 1\nallow a\u0000b\n', 1],
      ['amux-policy 1\nreject a.test\n', 2],
      ['amux-policy 1\nallow a.test\ndeny b.test\ndeny a.test\n', 4],
      ['amux-policy 1\nallow *\ndeny *\n', 3],
      ['amux-policy 1\ndocument {}\ndocument {}\n', 3],
      ['amux-policy 1\ndocument []\n', 2],
      ['amux-policy 1\n\nallow a.test\n', 2],
      [`amux-policy 1\n${Array.from({ length: 16385 }, (_, index) => `allow n${index}.test\n`).join('')}`, 16386],
    ]
    for (const [text, line] of wrong) {
      const { status, stdout } = run('apply', text)
      expect(stdout, JSON.stringify(text.slice(0, 80))).to.match(new RegExp(`^error\t22\tpolicy\t${line}\t[^\n]+\n$`))
      expect(status).to.equal(1)
    }
    expect(run('show').stdout).to.include('good.test')
  })

  it('that is damaged on disk is an error, not open', () => {
    writeFileSync(join(dir, 'policy'), 'amux-policy 1\nallow good.test\nal')
    expect(run('show')).to.include({ status: 1, stdout: 'error\t22\tpolicy\t\tline 3: neither allow nor deny\n' })
  })

  it('says how it is used when it is used wrongly', () => {
    expect(spawnSync(tool, ['apply']).status).to.equal(2)
    expect(spawnSync(tool, ['serve', dir]).status).to.equal(2)
    expect(spawnSync(tool, ['log']).status).to.equal(2)
    expect(spawnSync(tool, []).status).to.equal(2)
  })
})
