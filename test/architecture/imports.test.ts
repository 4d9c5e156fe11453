import { expect } from 'chai'
import { describe, it } from 'mocha'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const root = join(import.meta.dirname, '../..')

interface Import {
  readonly from: string
  /** Relative to the repository for our own files, else the specifier. */
  readonly to: string
  /** Erased at build time. */
  readonly typeOnly: boolean
}

const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'([^']+)'/gm
const dynamic = /\bimport\('([^']+)'\)/g

function importsOf(pattern: string): Import[] {
  return globSync(pattern, { cwd: root }).flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    const fixed = [...text.matchAll(statement)].map(([, type, to]) => ({ from: file, to: named(file, to ?? ''), typeOnly: type !== undefined }))
    const late = [...text.matchAll(dynamic)].map(([, to]) => ({ from: file, to: named(file, to ?? ''), typeOnly: false }))
    return fixed.concat(late)
  })
}

function named(file: string, to: string): string {
  return to.startsWith('.') ? relative(root, resolve(root, dirname(file), to)) : to
}

const all = importsOf('src/**/*.ts')

function folder(path: string): string {
  const [, first = '', second] = path.split('/')
  return second === undefined ? '' : first
}

/** What breaks a rule, as `from -> to`. */
function offenders(imports: readonly Import[], allowed: (one: Import) => boolean): string[] {
  return imports.filter((one) => !allowed(one)).map(({ from, to }) => `${from} -> ${to}`)
}

const own = (one: Import) => one.to.startsWith('src/')
const within = (...folders: readonly string[]) => (one: Import) => own(one) && (folder(one.to) === folder(one.from) || folders.includes(folder(one.to)))
const from = (...folders: readonly string[]) => all.filter((one) => folders.includes(folder(one.from)))

const domains = ['emulation', 'sync', 'project', 'agents', 'terminal', 'config', 'ports'] as const

describe('Who may import whom', () => {
  it('the contract imports nothing but itself, and types only', () => {
    expect(offenders(from('contract'), (one) => one.typeOnly && folder(one.to) === 'contract')).to.deep.equal([])
  })

  it('everyone imports the contract as types', () => {
    expect(offenders(all.filter(({ to }) => folder(to) === 'contract'), ({ typeOnly }) => typeOnly)).to.deep.equal([])
  })

  it('errors and util use only the contract and each other', () => {
    const builtIn = (one: Import) => one.to.startsWith('node:')
    expect(offenders(from('errors', 'util'), (one) => builtIn(one) || within('contract', 'errors', 'util')(one))).to.deep.equal([])
  })

  it('the protocol knows only types of the contract', () => {
    expect(offenders(from('protocol'), within('contract'))).to.deep.equal([])
  })

  it('who speaks with our native programs knows nothing else of ours', () => {
    expect(offenders(from('native').filter(own), within())).to.deep.equal([])
  })

  it('the tar format knows nothing of ours but where the program is that packs', () => {
    expect(offenders(from('tar').filter(own), within('native'))).to.deep.equal([])
  })

  it('the guest imports only the protocol, the tar format, our native programs, types of the contract, Node and what is bundled into it', () => {
    expect(offenders(from('guest').filter(own), within('protocol', 'tar', 'native', 'contract'))).to.deep.equal([])
  })

  it('a domain folder reaches another only through its index', () => {
    const crossing = from(...domains).filter((one) => own(one) && folder(one.to) !== folder(one.from))
    const open = new Set(['contract', 'errors', 'util', 'protocol', 'tar', 'native'])
    const allowed = (one: Import) => open.has(folder(one.to)) || (domains.some((domain) => domain === folder(one.to)) && one.to.endsWith('/index.ts'))
    expect(offenders(crossing, allowed)).to.deep.equal([])
  })

  it('domain folders form no circle', () => {
    const edges = new Map(domains.map((domain) => [domain as string, new Set(from(domain).filter((one) => own(one) && !one.typeOnly).map((one) => folder(one.to)))]))
    const reach = (start: string, at: string, seen: ReadonlySet<string>): boolean =>
      [...(edges.get(at) ?? [])].some((next) => next !== at && (next === start || (!seen.has(next) && reach(start, next, new Set([...seen, next])))))
    expect(domains.filter((domain) => reach(domain, domain, new Set()))).to.deep.equal([])
  })

  it('only the command line and its way in know oclif', () => {
    const oclif = all.filter(({ to }) => to.startsWith('@oclif/'))
    const allowed = ({ from: file }: Import) => ['cli', 'commands', 'hooks'].includes(folder(file)) || file === 'src/main.ts'
    expect(offenders(oclif, allowed)).to.deep.equal([])
  })

  it('oclif is imported by its parts, never whole', () => {
    const whole = all.filter(({ to, typeOnly }) => to === '@oclif/core' && !typeOnly)
    expect(offenders(whole, () => false)).to.deep.equal([])
  })

  it('a command imports the command line and the domains, and no other command', () => {
    const to = (one: Import) => one.to.startsWith('@oclif/core/') || one.to.startsWith('node:') || (own(one) && folder(one.to) !== 'commands' && folder(one.to) !== 'guest')
    expect(offenders(from('commands'), to)).to.deep.equal([])
  })

  it('nothing below the command line reaches up to it', () => {
    const low = all.filter((one) => own(one) && !['cli', 'commands', 'hooks', ''].includes(folder(one.from)))
    expect(offenders(low, (one) => !['cli', 'commands', 'hooks', ''].includes(folder(one.to)))).to.deep.equal([])
  })

  it('a plugin takes only types from amux', () => {
    const plugin = importsOf('plugins/*/src/**/*.ts')
    const allowed = (one: Import) => one.to.startsWith('plugins/') || !one.to.startsWith('src/') || (one.typeOnly && ['contract', 'protocol'].includes(folder(one.to)))
    expect(offenders(plugin, allowed)).to.deep.equal([])
  })

  it('a registration module imports nothing at run time', () => {
    const register = importsOf('plugins/*/src/register.ts').filter(({ typeOnly }) => !typeOnly)
    expect(register.filter(({ from: file, to }) => !isLate(file, to))).to.deep.equal([])
  })
})

/** Loaded in `connect`, when it is needed. */
function isLate(file: string, to: string): boolean {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(dynamic)].some(([, specifier]) => named(file, specifier ?? '') === to)
}
