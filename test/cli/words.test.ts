import { expect } from 'chai'
import { describe, it } from 'mocha'
import { rewrite } from '../../src/cli/rewrite.ts'
import { table } from '../../src/cli/table.ts'

const words = (line: string): string[] => (line === '' ? [] : line.split(' '))

describe('What people type', () => {
  const cases: Readonly<Record<string, string>> = {
    '': '',
    status: 'status',
    'sandbox ls': 'computer ls',
    sandbox: 'computer',
    'sandbox exec -- sandbox ls': 'computer exec -- sandbox ls',
    '--json computer ls': 'computer ls --json',
    '-q -y computer rm x': 'computer rm x -q -y',
    'help computer exec': 'computer exec --help',
    help: '--help',
    'computer help': 'computer --help',
    'sandbox help exec': 'computer exec --help',
    'computer session help kill': 'computer session kill --help',
    'computer run help': 'computer run help',
    '-v': 'version',
    '-V --json': 'version --json',
    '--json --version': 'version --json',
    '-v computer': '-v computer',
    '--json -- x': '--json -- x',
    'computer exec -- help --json': 'computer exec -- help --json',
    'computer run sandbox': 'computer run sandbox',
    'claude sandbox': 'claude sandbox',
    'computer list': 'computer ls',
    'computer delete list': 'computer rm list',
    'computer x -- x': 'computer exec -- x',
    'sandbox console': 'computer shell',
    'computer session destroy x': 'computer session rm x',
    'computer port list': 'computer port ls',
    'computer session': 'computer session',
    'provider show local': 'provider info local',
    'plugins list': 'plugins list',
    'computer constructor': 'computer constructor',
  }
  for (const [typed, meant] of Object.entries(cases)) {
    it(`"${typed}" means "${meant}"`, () => {
      expect(rewrite(words(typed))).to.deep.equal(words(meant))
    })
  }

  it('is never touched behind the first --', () => {
    const remote = ['--', 'a b', '', '--json', '--', '\n', 'sandbox']
    expect(rewrite(['sandbox', 'exec', ...remote])).to.deep.equal(['computer', 'exec', ...remote])
  })
})

describe('A table', () => {
  it('is aligned, without columns that are empty and without trailing space', () => {
    const rows = [{ name: 'a', note: '' }, { name: 'longer', note: '' }]
    const text = table(rows, { name: (row) => row.name, note: (row) => row.note, size: (row) => row.name.length })
    expect(text).to.equal('NAME     SIZE\na        1\nlonger   6')
  })

  it('counts what a terminal shows, not code units', () => {
    const text = table([{ name: '日本' }, { name: 'naïve' }, { name: 'e\u0301' }], { name: (row) => row.name, end: () => '|' })
    expect(text.split('\n')).to.deep.equal(['NAME    END', '日本    |', 'naïve   |', 'e\u0301       |'])
  })

  it('keeps a hostile cell in its cell', () => {
    expect(table([{ name: 'a\n\u001B[2Jb\tc' }], { name: (row) => row.name })).to.equal('NAME\na b c')
  })
})
