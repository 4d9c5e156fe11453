import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asRoot, kit } from '../support.ts'
import { opened } from '../../../../test/support/opened.ts'
import { MACHINE } from './machine.ts'

const repository = join(import.meta.dirname, '../../../..')
const USER = `amux-t${process.pid}`

if (asRoot) {
  describe('as an ordinary user', () => {
    let dir: string
    before(async () => {
      dir = mkdtempSync(join(tmpdir(), 'amux-user-'))
      chmodSync(dir, 0o755)
      for (const name of ['repository', 'tmp']) mkdirSync(join(dir, name), { mode: 0o755 })
      chmodSync(join(dir, 'tmp'), 0o1777)
      writeFileSync(join(dir, 'node'), '')
      chmodSync((await kit()).scripts, 0o755)
      execFileSync('sh', ['-c', `useradd --create-home --base-dir ${dir} --shell /bin/sh ${USER}`])
    })
    after(() => {
      spawnSync('userdel', ['--force', USER], { stdio: 'ignore' })
      rmSync(dir, { recursive: true, force: true })
    })

    /** Runs a program of the repository as that user, who may not be able to enter the directory it is in. */
    function asUser(args: readonly string[], before = 'true', spaces: readonly string[] = []): Promise<{ readonly status: number | null; readonly output: string }> {
      const mounts = `${opened('"$0"', `${dir}/repository`)}; mount --bind "$1" ${dir}/node && shift && ${before}`
      const switchUser = `cd ${dir}/repository && exec setpriv --reuid ${USER} --regid ${USER} --clear-groups --inh-caps=-all env -i AMUX_TEST_NAMED=${spaces.length > 0 ? 1 : 0} HOME=${dir}/${USER} TMPDIR=${dir}/tmp PATH=${dir}:/usr/local/bin:/usr/bin:/bin "$@"`
      const child = spawn('unshare', ['--mount', ...spaces, '--propagation', 'private', 'sh', '-c', `${mounts} && ${switchUser}`, repository, process.execPath, ...args])
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
      return new Promise((resolve) => child.once('close', (status) => resolve({ status, output })))
    }

    const mocha = (name: string) => asUser(['node', 'node_modules/mocha/bin/mocha.js', '--no-config', '--exit', '--timeout', '60000', '--reporter', 'dot', `plugins/provider-local/test/${name}.test.ts`], name === 'network' ? MACHINE : 'true', name === 'network' ? ['--net'] : [])

    // Two at a time: some mostly wait.
    const runs = new Map<string, ReturnType<typeof mocha>>()
    before(() => void runs.set('crash', mocha('crash')))

    for (const name of ['lifecycle', 'spawn', 'aside', 'disk-trees', 'freeze', 'network', 'disk', 'conformance', 'user-tier', 'crash']) {
      it(`local computers work: ${name}`, async function () {
        this.timeout(300_000)
        const { status, output } = await (runs.get(name) ?? mocha(name))
        expect(status, output).to.equal(0)
        expect(output).to.match(/[1-9]\d* passing/)
      })
    }

    it('without user namespaces they are refused, naming the cause and what to do', async () => {
      // The limit holds in a namespace of its own, so that only this program meets it.
      const program = `exec setpriv --reuid 54321 --regid 54321 --clear-groups env -i HOME=/nowhere TMPDIR=${dir}/tmp PATH=${dir}:/bin "$@"`
      const limited = `read go < ${dir}/fifo; exec sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && ${program}' x "$@"`
      writeFileSync(join(dir, 'limited.sh'), limited)
      const outside = [
        `cd ${dir}/repository && mkdir -m 1777 ${dir}/tmp/none && mkfifo ${dir}/fifo`,
        `{ unshare --user sh ${dir}/limited.sh "$@" & } && pid=$!`,
        'while [ "$(readlink /proc/$pid/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done',
        'echo 0 0 65536 > /proc/$pid/uid_map && echo 0 0 65536 > /proc/$pid/gid_map',
        `echo go > ${dir}/fifo; wait $pid; exit`,
      ].join('\n')
      const { output } = await asUser(['node', 'plugins/provider-local/test/create.ts', `${dir}/tmp/none`, 'refused'], outside)
      expect(output).to.include("code: 'tool_missing'").and.include('user namespaces are switched off').and.include('Docker')
    })
  })
}
