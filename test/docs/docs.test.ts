import { expect } from 'chai'
import { describe, it } from 'mocha'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { manifests, outdated } from '../../scripts/command-docs.ts'
import { codes } from '../../src/errors/index.ts'

const root = join(import.meta.dirname, '..', '..')
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root }), ...globSync('examples/*/README.md', { cwd: root })]

describe('documentation', () => {
  it('lists every error code beside its exit status', () => {
    const text = readFileSync(join(root, 'docs/errors.md'), 'utf8')
    for (const [code, { exit }] of Object.entries(codes)) {
      const rows = text.split('\n').filter((line) => line.startsWith(`| ${exit} |`))
      expect(rows.some((row) => row.includes(`\`${code}\``)), `${code} beside exit status ${exit}`).to.equal(true)
    }
  })

  it('has command pages that say what the commands say', () => {
    expect(outdated(), 'run: npm run docs').to.deep.equal([])
  })

  for (const page of pages) {
    it(`${page}: links lead somewhere, npm scripts exist, amux commands exist`, () => {
      const text = readFileSync(join(root, page), 'utf8')
      for (const target of links(text)) expect(existsSync(join(root, dirname(page), target)), target).to.equal(true)
      for (const script of scripts(text)) expect(known.scripts, `npm run ${script}`).to.include(script)
      for (const line of commands(text)) expect(isCommand(line), `$ ${line}`).to.equal(true)
    })
  }
})

const known = {
  scripts: Object.keys((JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }).scripts),
  ids: commandIds(),
}

function commandIds(): Set<string> {
  const ids = manifests().flatMap(({ commands }) => Object.keys(commands).concat(Object.values(commands).flatMap(({ aliases }) => aliases)))
  return new Set(ids.map((id) => id.replaceAll(':', ' ')))
}

function links(text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '')
  return targets.filter((target) => !target.includes('://'))
}

function scripts(text: string): string[] {
  return [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? '').filter((name) => name !== 'dev')
}

/** Lines of code blocks that begin with `amux`. */
function commands(text: string): string[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  return blocks.flatMap((block) => block.split('\n')).map((line) => line.trim().replace(/^\$ /, '')).filter((line) => line.startsWith('amux '))
}

/** The plugin manager's come from oclif's own plugins, which have their own manifests. */
function isCommand(line: string): boolean {
  const words = line.split(/\s+/).slice(1).map((word) => (word === 'sandbox' ? 'computer' : word))
  const first = words[0] ?? ''
  if (first.startsWith('-') || ['plugins', 'autocomplete', 'help'].includes(first)) return true
  return [4, 3, 2, 1].some((count) => known.ids.has(words.slice(0, count).join(' ')))
}
