import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rewrite } from '../../src/cli/rewrite.ts'
import { Scratch, root } from '../support/amux.ts'

interface CachedCommand {
  readonly id: string
  readonly summary?: string
  readonly examples?: readonly (string | { readonly command: string })[]
  readonly aliases: readonly string[]
  readonly hidden?: boolean
  readonly flags: Readonly<Record<string, { readonly char?: string; readonly summary?: string; readonly description?: string }>>
}

const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as { version: string; commands: Record<string, CachedCommand> }
/** The plugin manager and the completion bring their own help. */
const commands = Object.values(manifest.commands).filter(({ id }) => !/^(plugins|autocomplete)(:|$)/.test(id))

/** The words of an example's amux part: up to the first `--`, a pipe or the like. */
function wordsOf(example: string, id: string): string[] {
  const line = example.replaceAll('<%= config.bin %>', 'amux').replaceAll('<%= command.id %>', id.replaceAll(':', ' '))
  const call = /\bamux (.*)$/s.exec(line)?.[1] ?? ''
  const own = call.split(/ -- | --$|[|<>;&]/)[0] ?? ''
  return own.replace(/"[^"]*"|'[^']*'/g, 'quoted').trim().split(/\s+/)
}

describe('Help', () => {
  let scratch: Scratch
  before(async () => {
    scratch = await Scratch.make()
  })
  after(() => scratch.dispose())

  it('knows the commands there are', () => {
    const ids = commands.map(({ id }) => id.replaceAll(':', ' '))
    const computer = ['create', 'ls', 'info', 'use', 'start', 'stop', 'restart', 'rm', 'exec', 'shell', 'attach', 'run', 'wait', 'capabilities', 'cp', 'proxy', 'port ls']
    const session = ['ls', 'attach', 'logs', 'send', 'wait', 'kill', 'rm']
    const agents = ['claude', 'codex', 'opencode', 'amp', 'gemini', 'droid']
    expect(ids).to.include.members([...computer.map((verb) => `computer ${verb}`), ...session.map((verb) => `computer session ${verb}`), ...agents])
    expect(ids).to.include.members(['provider ls', 'provider info', 'status', 'doctor', 'version'])
  })

  for (const { id, summary, examples = [], flags } of commands) {
    it(`of ${id.replaceAll(':', ' ')} has a summary, and examples whose flags exist`, () => {
      expect(summary).to.be.a('string').and.not.equal('')
      expect(examples).not.to.have.length(0)
      const names = new Set(Object.entries(flags).flatMap(([name, { char }]) => (char === undefined ? [`--${name}`] : [`--${name}`, `-${char}`])))
      for (const example of examples) {
        const words = wordsOf(typeof example === 'string' ? example : example.command, id)
        expect(words.slice(0, id.split(':').length), 'the example shows this command').to.deep.equal(id.split(':'))
        const used = words.filter((word) => /^-[a-zA-Z-]/.test(word)).flatMap((word) => (word.startsWith('--') ? [word.split('=')[0] ?? ''] : Array.from(word.slice(1), (letter) => `-${letter}`)))
        expect(used.filter((flag) => !names.has(flag))).to.deep.equal([])
      }
      const silent = Object.entries(flags).filter(([, flag]) => (flag.summary ?? flag.description ?? '') === '')
      expect(silent.map(([name]) => name)).to.deep.equal([])
    })
  }

  for (const argv of [['--help'], ['help'], ['-h'], []]) {
    it(`lists topics and commands: amux ${argv.join(' ')}`, async () => {
      const { status, stdout, stderr } = await scratch.run(argv)
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      expect(stdout).to.match(/^ {2}computer +Make computers/m).and.match(/^ {2}doctor +/m)
    })
  }

  for (const argv of [['computer'], ['computer', '--help'], ['help', 'computer'], ['sandbox', '--help']]) {
    it(`lists a topic's commands: amux ${argv.join(' ')}`, async () => {
      const { status, stdout } = await scratch.run(argv)
      expect(status).to.equal(0)
      expect(stdout).to.match(/^ {2}computer exec +/m).and.match(/^ {2}computer session +/m)
    })
  }

  for (const argv of [['computer', 'exec', '--help'], ['help', 'computer', 'exec'], ['sandbox', 'exec', '-h']]) {
    it(`shows a command: amux ${argv.join(' ')}`, async () => {
      const { status, stdout } = await scratch.run(argv)
      expect(status).to.equal(0)
      expect(stdout).to.include('$ amux computer exec').and.include('EXAMPLES')
    })
  }

  for (const argv of [['help', '--json'], ['computer', '--json'], ['computer', 'session', '--help', '--json']]) {
    it(`lists commands for scripts: amux ${argv.join(' ')}`, async () => {
      const { status, stdout } = await scratch.run(argv)
      expect(status).to.equal(0)
      const { topic, commands } = JSON.parse(stdout) as { topic: string; commands: readonly { command: string; summary: string }[] }
      expect(topic).to.match(/^amux( computer( session)?)?$/)
      expect(commands.map(({ command }) => command)).to.include('amux computer session ls')
      for (const { command, summary } of commands) expect(summary, command).to.be.a('string').and.not.match(/<%|^$/)
    })
  }

  it('of one command for scripts names flags, arguments and aliases', async () => {
    const { document } = await scratch.json<{ command: string; aliases: string[]; flags: { name: string }[] }>(['computer', 'x', '--help'])
    expect(document).to.deep.include({ command: 'amux computer exec', aliases: ['amux computer x'] })
    expect(document.flags.map(({ name }) => name)).to.include.members(['json', 'computer', 'tty'])
  })

  it('names every other word for a command', async () => {
    const { stdout } = await scratch.run(['computer', 'shell', '--help'])
    expect(stdout).to.match(/ALIASES\n +\$ amux computer console\n +\$ amux computer connect/)
    for (const { id, aliases } of commands) {
      for (const alias of aliases) expect(rewrite(alias.split(':')), alias).to.deep.equal(id.split(':'))
    }
  })

  it('has no colours where stdout is no terminal', async () => {
    const { stdout } = await scratch.run(['computer', 'ls', '--help'])
    expect(stdout).not.to.include('\u001B')
  })
})

describe('amux version', () => {
  let scratch: Scratch
  before(async () => {
    scratch = await Scratch.make()
  })
  after(() => scratch.dispose())

  it('is the same however one asks', async () => {
    const [flag, word, short, other] = await Promise.all([['--version'], ['version'], ['-v'], ['-V']].map((argv) => scratch.run(argv)))
    if (!flag) throw new Error('no answer')
    expect([word, short, other]).to.deep.equal([flag, flag, flag])
    expect(flag.stdout).to.equal(`amux/${manifest.version} ${process.platform}-${process.arch} node-${process.version}\n`)
    const { document } = await scratch.json(['--version'])
    expect(document).to.include({ version: manifest.version })
  })
})
