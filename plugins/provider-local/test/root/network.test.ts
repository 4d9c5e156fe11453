import { expect } from 'chai'
import { describe, it } from 'mocha'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { asRoot } from '../support.ts'
import { MACHINE } from './machine.ts'

const repository = join(import.meta.dirname, '../../../..')

if (asRoot) {
  describe('on a machine with one address and a name server', () => {
    it('local computers have a network', function () {
      this.timeout(120_000)
      const tests = ['--no-config', '--exit', '--timeout', '60000', 'plugins/provider-local/test/network.test.ts']
      const { status, stdout, stderr } = spawnSync('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', `${MACHINE} && exec "$@"`, 'sh', process.execPath, 'node_modules/mocha/bin/mocha.js', ...tests], {
        cwd: repository,
        encoding: 'utf8',
        env: { ...process.env, AMUX_TEST_NAMED: '1' },
      })
      expect(status, stdout + stderr).to.equal(0)
      expect(stdout).to.match(/has names/)
    })
  })
}
