import { Parser } from '@oclif/core'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { globalFlags } from '../../src/cli/flags.ts'
import { type FlagTable, ownLength, parseFlags } from '../../src/cli/verbs/argv.ts'
import { oclifFlags } from '../../src/cli/verbs/oclif.ts'
import { attachTable, execTable, globalTable, shellTable } from '../../src/cli/verbs/tables.ts'

const sound: readonly (readonly string[])[] = [
  [],
  ['-i'],
  ['-t'],
  ['-it'],
  ['-ti'],
  ['-dq'],
  ['--no-tty', '--no-stdin'],
  ['-e', 'A=1'],
  ['-eA=1'],
  ['-e=A=1'],
  ['--env', 'A=1'],
  ['--env=A=1'],
  ['--env='],
  ['-e', 'A=1', '-e', 'B'],
  ['-e', 'A=x y\n"z"', '--env-file', 'x.env', '--env-file=y.env'],
  ['-ite', 'A=1'],
  ['-w', '/tmp', '-u', '0:0', '--name', 'build'],
  ['-w/tmp', '-uroot'],
  ['-c', 'amux-x-1', '-P', 'local'],
  ['-cbox', '--provider=docker', '--json', '-y', '--quiet'],
  ['--detach-keys', 'ctrl-p,ctrl-q'],
  ['--detach-keys='],
  ['--shell', '--detach'],
  ['--timeout', '5s'],
  ['--timeout=5m'],
]

const doubtful: readonly (readonly string[])[] = [
  ['--unknown'],
  ['-z'],
  ['-iz'],
  ['-e'],
  ['--env'],
  ['--tty=yes'],
  ['--no-detach'],
  ['--no-env'],
  ['-c', '--json'],
  ['--help'],
  ['-c', 'a', '-c', 'b'],
  ['--tty', '--no-tty'],
]

async function ordinary(table: FlagTable, argv: readonly string[]): Promise<Record<string, unknown>> {
  const { flags } = await Parser.parse([...argv], { flags: { ...oclifFlags(table, globalTable), ...globalFlags }, strict: true })
  return given(flags)
}

function given(flags: object): Record<string, unknown> {
  const entries = Object.entries(flags).filter(([name, value]) => value !== undefined && name !== 'timeout')
  // A switch that was not given reads the same as one that is off, unless it has a form for off.
  return Object.fromEntries(entries.filter(([name, value]) => value !== false || name === 'tty' || name === 'stdin'))
}

describe('flags on the hot way', () => {
  it('are those of the ordinary commands', () => {
    for (const [name, spec] of Object.entries<{ summary: string; char?: string; kind: string }>(globalTable)) {
      const flag = Object.entries(globalFlags).find(([other]) => other === name)?.[1]
      expect(flag, name).to.include({ summary: spec.summary, type: spec.kind === 'switch' ? 'boolean' : 'option' })
      expect(flag?.char, name).to.equal(spec.char)
    }
    expect(Object.keys(globalTable)).to.have.members(Object.keys(globalFlags))
  })

  for (const argv of sound) {
    it(`read the same: ${JSON.stringify(argv)}`, async () => {
      const parsed = parseFlags(execTable, argv)
      expect(parsed?.rest).to.deep.equal([])
      expect(given(parsed?.flags ?? {})).to.deep.equal(await ordinary(execTable, argv))
    })
  }

  for (const argv of doubtful) {
    it(`are left to the ordinary way: ${JSON.stringify(argv)}`, () => {
      expect(parseFlags(execTable, argv)).to.equal(undefined)
    })
  }

  it('end where the program begins', () => {
    const words = ['ls', '-la', '--json', '-e', 'X']
    for (const argv of sound) {
      expect(parseFlags(execTable, [...argv, ...words])?.rest, argv.join(' ')).to.deep.equal(words)
      expect(ownLength(execTable, [...argv, ...words]), argv.join(' ')).to.equal(argv.length)
    }
    expect(ownLength(execTable, ['--unknown', 'ls'])).to.equal(1)
    expect(ownLength(execTable, ['-e'])).to.equal(1)
    expect(ownLength(execTable, ['-', 'x'])).to.equal(0)
  })

  it('work for the other verbs', async () => {
    for (const argv of [['-e', 'A=1', '-u', 'root'], ['--name', 'x', '-w', '/']]) {
      expect(given(parseFlags(shellTable, argv)?.flags ?? {})).to.deep.equal(await ordinary(shellTable, argv))
    }
    for (const argv of [['--read-only'], ['-i', '--detach-keys', 'ctrl-a'], ['--no-stdin', '-c', 'x']]) {
      expect(given(parseFlags(attachTable, argv)?.flags ?? {})).to.deep.equal(await ordinary(attachTable, argv))
    }
  })
})
