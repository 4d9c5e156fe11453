import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'mocha'
import { expect } from 'chai'
import { Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

const run = promisify(execFile)

/** What bash would offer for the last word. */
const ASK = `
amux() { "$NODE" "$BIN" "$@"; }
source "$AMUX_HOME/cache/autocomplete/functions/bash/amux.bash"
COMP_WORDS=(amux "$@") COMP_CWORD=$#
_amux_autocomplete
printf '%s\n' "\${COMPREPLY[@]}"
`

describe('completion in bash', function () {
  this.timeout(30_000)
  let amux: Scratch
  let name = ''
  before(async () => {
    amux = await Scratch.make()
    name = (await amux.run(['computer', 'create', '-P', 'local'])).stdout.trim()
    await amux.run(['computer', 'exec', '-d', '--name', 'build', '--', 'sleep', '1000'])
    const { status, stderr } = await amux.run(['autocomplete', 'bash'])
    expect(status, stderr).to.equal(0)
    await writeFile(join(amux.path, 'ask'), ASK)
  })
  after(() => disposeAll(amux))

  async function offered(...words: string[]): Promise<string[]> {
    const { stdout } = await run('bash', [join(amux.path, 'ask'), ...words], { cwd: amux.project, env: amux.env({ NODE: process.execPath, BIN: bin }) })
    return stdout.split('\n').filter((line) => line !== '')
  }

  it('offers each word once, also below the old word for computer', async () => {
    expect(await offered('')).to.include.members(['computer', 'provider', 'claude', 'doctor', 'sandbox'])
    const verbs = await offered('computer', '')
    expect(verbs).to.include.members(['exec', 'ls', 'session', 'port']).and.have.lengthOf(new Set(verbs).size)
    expect(await offered('sandbox', '')).to.deep.equal(verbs)
    expect(await offered('computer', '-c', 'session', 'session', 'k')).to.deep.equal(['kill'])
  })

  it('offers the flags of the command', async () => {
    expect(await offered('computer', 'exec', '--no-')).to.have.members(['--no-stdin', '--no-tty'])
    expect(await offered('status', '--js')).to.deep.equal(['--json'])
  })

  it('offers computers, providers and sessions by name', async () => {
    for (const words of [['computer', 'info', ''], ['computer', 'exec', '-c', ''], ['computer', 'stop', 'amux-']]) expect(await offered(...words), words.join(' ')).to.deep.equal([name])
    expect(await offered('computer', 'create', '-P', '')).to.deep.equal(['local'])
    expect(await offered('computer', 'session', 'kill', '')).to.include('build').and.have.lengthOf(2)
    expect(await offered('computer', 'attach', '-c', name, 'bu')).to.deep.equal(['build'])
  })
})
