import { expect } from 'chai'
import { describe, it } from 'mocha'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { asRoot } from '../support.ts'

const repository = join(import.meta.dirname, '../../../..')
const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n').map((line) => line.split(' '))
const mounted = (wanted: (type: string, options: string[]) => boolean) => mounts.filter(([, , type = '', options = '']) => wanted(type, options.split(','))).map(([, path = '']) => path)
const second = mounted((type) => type === 'cgroup2')
const first = mounted((type, options) => type === 'cgroup' && options.includes('freezer'))

if (asRoot) {
  describe('freezing, on a machine', () => {
    const without = (paths: readonly string[]) => {
      const hide = paths.map((path) => `umount -l ${path}`).join(' && ') || 'true'
      const tests = ['--no-config', '--exit', '--timeout', '60000', '--reporter', 'dot', '-g', 'ninety|shell|stopped before|is killed', 'plugins/provider-local/test/freeze.test.ts']
      const { status, stdout, stderr } = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', `${hide} && exec "$@"`, 'sh', process.execPath, 'node_modules/mocha/bin/mocha.js', ...tests], {
        cwd: repository,
        encoding: 'utf8',
      })
      expect(status, stdout + stderr).to.equal(0)
      expect(stdout).to.include('4 passing')
    }

    if (first.length > 0) {
      it('that has the first version of control groups only', function () {
        this.timeout(120_000)
        without(second)
      })
    }

    it('that has no control groups', function () {
      this.timeout(120_000)
      without([...second, ...first])
    })
  })
}
