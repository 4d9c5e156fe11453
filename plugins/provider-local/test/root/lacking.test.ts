import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../../src/network.ts'
import { asRoot } from '../support.ts'

if (asRoot) {
  describe('on a machine that lost what the network of local computers needs', function () {
    this.timeout(60_000)
    let data: string
    /** With those programs out of sight. */
    const run = (step: string, ...missing: readonly string[]) => {
      const hide = missing.map((name) => `mount --bind /dev/null ${findProgram(name)}`).join(' && ') || 'true'
      const args = ['--mount', '--propagation', 'private', 'sh', '-c', `${hide} && exec "$@"`, 'sh', process.execPath, join(import.meta.dirname, '../lacking.ts'), data, step]
      const lines = execFileSync('unshare', args, { encoding: 'utf8' }).trim().split('\n')
      return new Map(lines.filter((line) => line !== '').map((line) => JSON.parse(line)).map(([name, ...rest]: [string, ...string[]]) => [name, rest]))
    }
    before(() => {
      data = mkdtempSync(join(tmpdir(), 'amux-lacking-'))
      run('make')
    })
    after(() => {
      run('end')
      rmSync(data, { recursive: true, force: true })
    })

    it('without nftables none starts that has a policy, others do and say what they lack', () => {
      const told = run('look', 'nft')
      expect(told.get('open')?.slice(0, 4)).to.deep.equal(['started', 'own', 'nftables is not on this machine', 'apt-get install nftables'])
      expect(told.get('fenced')?.[0]).to.match(/^tool_missing: the network policy of fenced .*nftables.*apt-get install nftables$/)
      expect(told.get('made')).to.deep.equal(['own'])
      expect(told.get('fence')?.[0]).to.include('nftables')
    })

    it('without slirp4netns none starts that has a network of its own, new ones have this machine\'s and say so', () => {
      run('end')
      run('make')
      const told = run('look', 'slirp4netns')
      for (const name of ['open', 'fenced']) expect(told.get(name)?.[0], name).to.match(/^tool_missing: .*slirp4netns is not on this machine.*apt-get install slirp4netns$/)
      expect(told.get('made')).to.deep.equal(["this machine's"])
      expect(told.get('fence')?.[0]).to.include('slirp4netns')
      expect(JSON.stringify(told.get('health'))).to.include('slirp4netns is not on this machine')
    })

    it('one made before they had networks goes on with this machine\'s, and says so', () => {
      run('end')
      run('make')
      const told = run('look')
      expect(told.get('old')?.slice(0, 2)).to.deep.equal(['started', "this machine's"])
      expect(told.get('old')?.[2]).to.include('when computers had none of their own')
      expect(told.get('old')?.[3]).to.include('amux computer rm')
      expect(told.get('seen')).to.deep.equal([readlinkSync('/proc/self/ns/net')])
      expect(told.get('open')?.slice(0, 3)).to.deep.equal(['started', 'own', ''])
    })
  })
}
