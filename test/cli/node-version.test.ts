import { expect } from 'chai'
import { describe, it } from 'mocha'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin } from '../support/amux.ts'

describe('The way in', () => {
  for (const version of ['12.22.0', '20.20.2', '22.11.0']) {
    it(`says of Node ${version} in one line that it is too old`, () => {
      const directory = mkdtempSync(join(tmpdir(), 'amux-node-'))
      try {
        const disguise = join(directory, 'disguise.cjs')
        writeFileSync(disguise, `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`)
        const { status, stdout, stderr } = spawnSync(process.execPath, ['-r', disguise, bin, 'status'], { encoding: 'utf8' })
        expect({ status, stdout }).to.deep.equal({ status: 4, stdout: '' })
        expect(stderr).to.equal(`amux: Node ${version} is too old: amux needs Node 22.12 or newer (https://nodejs.org)\n`)
      } finally {
        rmSync(directory, { recursive: true })
      }
    })
  }

  it('says when its directory can never be made, instead of trying for ever', () => {
    const env = { ...process.env, AMUX_HOME: '/proc/nope' }
    const { status, stderr } = spawnSync(process.execPath, [bin, 'computer', 'ls'], { encoding: 'utf8', env, timeout: 10_000 })
    expect({ status, stderr }).to.include({ status: 1 })
    expect(stderr).to.contain('/proc/nope').and.contain('AMUX_HOME')
  })

  it('is written so that an old Node can read it', () => {
    const code = readFileSync(bin, 'utf8').replace(/\/\/.*$/gm, '')
    expect(code).not.to.match(/^\s*import\s+[^(]|\bimport\.meta\b|\?\?|\?\.|\bawait\b/m)
  })
})
