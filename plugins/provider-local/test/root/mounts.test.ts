import { expect } from 'chai'
import { describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asRoot } from '../support.ts'

if (asRoot) {
  describe('on a machine whose system is on several file systems', () => {
    it('a local computer sees all of it, and keeps what it changes of each', function () {
      this.timeout(60_000)
      const data = mkdtempSync(join(tmpdir(), 'amux-mounts-'))
      // Mounted for this program and the computer only.
      const prepare = 'mount -t tmpfs t /opt && mkdir /opt/shared /opt/private && chmod 700 /opt/private && echo system > /opt/shared/file && echo secret > /opt/private/file'
      try {
        const output = execFileSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', `${prepare} && exec "$@"`, 'sh', process.execPath, join(import.meta.dirname, '../mounts.ts'), data])
        expect(output.toString()).to.equal('system\nmine\nno secret\naside: mine\ntree of /opt: mine system\nuntouched\n')
      } finally {
        rmSync(data, { recursive: true, force: true })
      }
    })
  })
}
