import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { openExec } from '../src/exec/exec.ts'
import type { Sprite } from '../src/sprite.ts'
import { type Lab, lab, text } from './support.ts'

describe('programs on a sprite', () => {
  let at: Lab
  let sprite: Sprite
  before(async () => {
    at = await lab()
    sprite = await at.sprite('exec')
  })
  after(() => at.end())

  async function outcome(argv: string[], options = {}, input?: string) {
    const program = await openExec(sprite, argv, options)
    if (input !== undefined) await program.stdin.write(Buffer.from(input))
    await program.stdin.end()
    const [stdout, stderr, exit] = await Promise.all([text(program.stdout), text(program.stderr), program.exit])
    return { stdout, stderr, exit }
  }

  it('say exactly what they said, and how they ended', async () => {
    expect(await outcome(['sh', '-c', 'cat; echo err >&2; exit 3'], {}, 'in')).to.deep.equal({ stdout: 'in', stderr: 'err\n', exit: { code: 3 } })
    expect((await outcome(['sh', '-c', 'kill -9 $$'])).exit).to.deep.equal({ signal: 'SIGKILL' })
    expect((await outcome(['sh', '-c', 'exit 143'])).exit).to.deep.equal({ code: 143 })
  })

  it('know the facts of the sprite, and get variables over its own', async () => {
    expect((await sprite.facts()).user).to.include({ name: 'amux', home: '/home/amux' })
    const { stdout } = await outcome(['sh', '-c', 'echo "$ONE $HOME"'], { env: { ONE: 'a b' } })
    expect(stdout).to.equal('a b /home/amux\n')
  })

  it('that cannot start are told apart', async () => {
    for (const [argv, options, code] of [
      [['amux-no-such'], {}, 'program_not_found'],
      [['/etc/passwd'], {}, 'program_not_executable'],
      [['true'], { cwd: '/no/such' }, 'not_found'],
    ] as const) {
      const error: unknown = await openExec(sprite, argv, options).catch((reason: unknown) => reason)
      expect(error, argv.join(' ')).to.include({ code })
    }
  })

  it('give 100 MB whole, at the pace of the reader', async () => {
    const program = await openExec(sprite, ['head', '-c', '100000000', '/dev/zero'])
    let size = 0
    for await (const chunk of program.stdout) size += chunk.length
    expect([size, await program.exit]).to.deep.equal([100_000_000, { code: 0 }])
  })
})
