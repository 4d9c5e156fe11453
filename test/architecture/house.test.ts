import { expect } from 'chai'
import { describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const files = globSync(['{src,test,bench,scripts,examples}/**/*.{ts,mts,js,mjs}', 'plugins/*/{src,test}/**/*.ts', 'bin/*.js'], { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] })
const text = (file: string) => readFileSync(join(root, file), 'utf8')

function filesWith(pattern: RegExp, among: readonly string[]): string[] {
  return among.filter((file) => pattern.test(text(file)))
}

describe('The house', () => {
  it('has no file of more than 300 lines', () => {
    expect(files.filter((file) => text(file).split('\n').length > 301)).to.deep.equal([])
  })

  it('has short command files', () => {
    const lengths = globSync('src/commands/**/*.ts', { cwd: root }).map((file) => text(file).split('\n').length).toSorted((a, b) => a - b)
    expect(lengths[Math.floor(lengths.length / 2)]).to.be.below(60)
  })

  it('leaves the end of the process to the ways in', () => {
    const inside = globSync('src/**/*.ts', { cwd: root, exclude: ['src/main.ts', 'src/start.ts', 'src/fast.ts', 'src/guest/**'] })
    expect(filesWith(/process\.exit\(/, inside)).to.deep.equal(['src/cli/interrupt.ts'])
  })

  it('names providers in one file of the core only', () => {
    const core = globSync('src/**/*.ts', { cwd: root, exclude: ['src/registry/known.ts', 'src/testkit/**'] })
    expect(filesWith(/['"`](docker|daytona|sprites|local)['"`]/, core)).to.deep.equal([])
    expect(filesWith(/plugins\/provider-|@amux\/provider-/, core)).to.deep.equal([])
  })

  it('promises nothing in comments and skips no test', () => {
    expect(filesWith(new RegExp(`\\b(${['TO', 'DO'].join('')}|FIX${'ME'}|XX${'X'})\\b`), files)).to.deep.equal([])
    const tests = files.filter((file) => file.endsWith('.test.ts'))
    expect(filesWith(/\b(describe|it)\.(skip|only)\(/, tests)).to.deep.equal([])
  })

  it('emits no JavaScript from the contract', () => {
    const out = mkdtempSync(join(tmpdir(), 'amux-contract-'))
    try {
      const tsc = join(root, 'node_modules/typescript/bin/tsc')
      const options = ['--outDir', out, '--rootDir', 'src', '--module', 'nodenext', '--target', 'es2023', '--rewriteRelativeImportExtensions', '--verbatimModuleSyntax', '--ignoreConfig']
      execFileSync(process.execPath, [tsc, ...options, ...globSync('src/contract/*.ts', { cwd: root })], { cwd: root })
      const code = globSync('**/*.js', { cwd: out }).map((file) => readFileSync(join(out, file), 'utf8').replace(/export \{\};?|\/\*[\s\S]*?\*\/|\/\/.*/g, '').trim())
      expect(code.filter((rest) => rest !== '')).to.deep.equal([])
    } finally {
      rmSync(out, { recursive: true })
    }
  })
})
