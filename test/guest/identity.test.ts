import { chmodSync } from 'node:fs'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Lab } from './lab.ts'

const isRoot = process.getuid?.() === 0

describe('guest: who a program runs as', () => {
  let lab: Lab
  before(async () => {
    lab = await Lab.open()
    chmodSync(lab.dir, 0o755)
  })
  after(() => lab.close())

  const outcome = async (user: string, script: string, more = {}) => {
    const program = await lab.sh(script, { user, cwd: '/', ...more })
    return program.error?.code ?? program.stdout.trim()
  }

  it('the computer\'s own user, unless told otherwise', async () => {
    const { uid, gid, name, home } = lab.config.user
    expect((await lab.sh('echo $(id -u) $(id -g) $USER $LOGNAME $HOME')).stdout).to.equal(`${uid} ${gid} ${name} ${name} ${home}\n`)
    expect(await outcome(name, 'id -u')).to.equal(String(uid))
    expect(await outcome(String(uid), 'id -u')).to.equal(String(uid))
  })

  it('another by name, number or both, where the guest is root; else it is refused', async () => {
    const refused = 'unsupported'
    expect(await outcome('nobody', 'echo $(id -u) $(id -G) $USER')).to.equal(isRoot ? '65534 65534 nobody' : refused)
    expect(await outcome('4242', 'echo $(id -u) $(id -G)')).to.equal(isRoot ? '4242 4242' : refused)
    expect(await outcome('4242:77', 'echo $(id -u) $(id -G)')).to.equal(isRoot ? '4242 77' : refused)
    expect(await outcome('nobody:daemon', 'id -g')).to.equal(isRoot ? '1' : refused)
  })

  it('with no way back to root', async () => {
    const script = 'grep -E "^(Uid|Gid|CapEff|CapPrm)" /proc/self/status | tr -s "\\t\\n" "  "'
    const expected = 'Uid: 65534 65534 65534 65534 Gid: 65534 65534 65534 65534 CapPrm: 0000000000000000 CapEff: 0000000000000000'
    expect(await outcome('nobody', script)).to.equal(isRoot ? expected : 'unsupported')
  })

  it('can open its own streams anew, on pipes and on a terminal', async () => {
    const script = 'echo one > /dev/stdout; echo two > /dev/stderr; tty >/dev/null && echo three > $(tty); true'
    const user = isRoot ? 'nobody' : lab.config.user.name
    const pipes = await lab.sh(script, { user, cwd: '/' })
    expect([pipes.stdout, pipes.stderr]).to.deep.equal(['one\n', 'two\n'])
    const terminal = await lab.sh(script, { user, cwd: '/', tty: { cols: 80, rows: 24 } })
    expect(terminal.stdout).to.equal('one\r\ntwo\r\nthree\r\n')
  })

  it('finds programs and directories with its own rights', async () => {
    expect(await outcome('nobody', 'pwd', { cwd: '/root' })).to.equal(isRoot ? 'permission_denied' : 'unsupported')
  })
})
