import { expect } from 'chai'
import { describe, it } from 'mocha'
import { pasteable } from '../../src/cli/pasteable.ts'
import { loginShell } from '../../src/cli/verbs/login.ts'
import { commandLine } from '../../src/cli/verbs/session.ts'
import { fail } from '../../src/errors/index.ts'

describe('A hint', () => {
  const one = { computer: 'other', provider: 'cloud' }
  const cases: Readonly<Record<string, string>> = {
    'amux computer session ls': 'amux computer session ls -c other -P cloud',
    'End it first: amux computer session kill x': 'End it first: amux computer session kill -c other -P cloud x',
    'Start one: amux computer shell, or amux computer exec -d -- PROGRAM': 'Start one: amux computer shell -c other -P cloud, or amux computer exec -c other -P cloud -d -- PROGRAM',
    'amux computer attach x -c other': 'amux computer attach -P cloud x -c other',
    'See: amux computer info other -P cloud. Or: amux computer start': 'See: amux computer info other -P cloud. Or: amux computer start -c other -P cloud',
    'See: amux computer exec --help': 'See: amux computer exec --help',
    'amux computer ls': 'amux computer ls',
    'amux computer create -P cloud': 'amux computer create -P cloud',
    'amux claude -- ARGS': 'amux claude -c other -P cloud -- ARGS',
  }
  for (const [hint, wanted] of Object.entries(cases)) {
    it(`means the computer that was meant: ${hint}`, () => {
      expect(pasteable(fail('not_found', 'x', { hint }), one).hint).to.equal(wanted)
      expect(pasteable(fail('not_found', 'x', { hint }), {}).hint).to.equal(hint)
    })
  }
})

describe("A session's command", () => {
  const cases: Readonly<Record<string, { readonly argv: readonly string[]; readonly agent?: string }>> = {
    'sleep 5': { argv: ['sleep', '5'] },
    "sh -c 'a b'": { argv: ['sh', '-c', 'a b'] },
    "sh -c $'a\\nb\\x1b\\'\\\\'": { argv: ['sh', '-c', "a\nb\u001B'\\"] },
    "echo '' 'it'\\''s'": { argv: ['echo', '', "it's"] },
    shell: { argv: loginShell },
    'claude -p hi': { argv: ['/home/amux/.local/bin/claude', '-p', 'hi'], agent: 'claude' },
  }
  for (const [wanted, { argv, agent }] of Object.entries(cases)) {
    it(`is one line: ${wanted}`, () => {
      expect(commandLine({ argv, labels: agent === undefined ? {} : { agent } })).to.equal(wanted)
    })
  }

  it('is as it came where nobody knows its words', () => {
    const command = 'bash -c echo started; sleep 300'
    expect(commandLine({ argv: [command], command, labels: {} })).to.equal(command)
  })

  it('is cut where it is long', () => {
    expect(commandLine({ argv: ['echo', 'x'.repeat(500)], labels: {} })).to.have.lengthOf(48)
  })
})
