import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { Scratch, bin } from '../support/amux.ts'
import { linkPlugins, registering } from '../support/plugins.ts'
import { TestTerminal } from '../support/terminal.ts'

const settings = "settings: [{ key: 'token', summary: 'the token', secret: true }, { key: 'region', summary: 'where' }],"

describe('On a terminal, amux', () => {
  let scratch: Scratch
  let terminal: TestTerminal | undefined
  beforeEach(async () => {
    scratch = await Scratch.make()
    await linkPlugins(scratch.home, [
      { name: 'cloud', hook: registering('cloud', settings) },
      { name: 'sleepy', hook: `await new Promise((resolve) => setTimeout(resolve, 1500))\n${registering('sleepy')}` },
    ])
  })
  afterEach(async () => {
    terminal?.dispose()
    terminal = undefined
    await scratch.dispose()
  })

  function amux(line: string, env: NodeJS.ProcessEnv = {}): TestTerminal {
    terminal = new TestTerminal(`"${process.execPath}" "${bin}" ${line}`, { cwd: scratch.project, env: { ...scratch.env(), ...env } })
    return terminal
  }

  it('says what was probably meant, and does not ask', async () => {
    const screen = amux('stats')
    expect(await screen.ended()).to.equal(2)
    expect(await screen.text()).to.include('Did you mean: amux status')
  })

  it('asks before it forgets, and takes no for an answer', async () => {
    const no = amux('provider logout cloud')
    await no.shows(/\[y\/N\]/)
    no.type('n\r')
    expect(await no.ended()).to.equal(5)
    expect(await no.text()).to.include('not confirmed')
    no.dispose()
    const yes = amux('provider logout cloud')
    await yes.shows(/\[y\/N\]/)
    yes.type('y\r')
    expect(await yes.ended()).to.equal(0)
  })

  it('ends a question with 130 at Ctrl-C', async () => {
    const screen = amux('provider logout cloud')
    await screen.shows(/\[y\/N\]/)
    screen.type('\u0003')
    expect(await screen.ended()).to.equal(130)
  })

  it('does not show a secret that is typed', async () => {
    const screen = amux('provider login cloud')
    await screen.shows(/token/)
    screen.type('s3cret\r')
    await screen.shows(/region/)
    screen.type('north\r')
    expect(await screen.ended()).to.equal(0)
    expect(screen.raw).not.to.include('s3cret')
    expect(await readFile(join(scratch.home, 'config/credentials.json'), 'utf8')).to.include('s3cret')
  })

  it('turns a line while it works, and takes it away', async () => {
    const screen = amux('doctor')
    await screen.shows(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Checking/)
    expect(await screen.ended()).to.equal(0)
    expect(await screen.text()).to.include('provider sleepy').and.not.include('Checking')
  })

  it('stays plain where colours are not wanted', async () => {
    const screen = amux('--help', { NO_COLOR: '1' })
    expect(await screen.ended()).to.equal(0)
    expect(stripVTControlCharacters(screen.raw)).to.equal(screen.raw)
  })
})
