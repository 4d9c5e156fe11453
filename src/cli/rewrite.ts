import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const globals: ReadonlySet<string> = new Set(['--json', '-q', '--quiet', '-y', '--yes'])

/** What people type, as the commands expect it. What stands after the first `--` is never touched. */
export function rewrite(argv: readonly string[]): readonly string[] {
  const cut = argv.indexOf('--')
  const [own, remote] = cut < 0 ? [argv, []] : [argv.slice(0, cut), argv.slice(cut)]
  const words = plugins(synonyms(asked(flagsLast(own))))
  return [...words, ...remote]
}

/** `amux --json computer ls` */
function flagsLast(argv: readonly string[]): readonly string[] {
  const first = argv.findIndex((word) => !globals.has(word))
  return first <= 0 ? argv : [...argv.slice(first), ...argv.slice(0, first)]
}

/** `amux help computer exec` */
function asked(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv
}

const verbs: Readonly<Record<string, string>> = {
  list: 'ls',
  delete: 'rm',
  destroy: 'rm',
  show: 'info',
  inspect: 'info',
  x: 'exec',
  console: 'shell',
  connect: 'shell',
}

/** `sandbox` is the old word for computer; the verbs have other names elsewhere. */
function synonyms(argv: readonly string[]): readonly string[] {
  const [topic, ...rest] = argv
  const computer = topic === 'sandbox' || topic === 'computer'
  if (topic === undefined || (!computer && topic !== 'provider')) return argv
  return [computer ? 'computer' : topic, ...verb(rest)]
}

/** The verb may stand behind a noun: `computer session list`. */
function verb([first, second, ...rest]: readonly string[]): readonly string[] {
  if (first === undefined) return []
  const own = verbs[first]
  if (own !== undefined) return second === undefined ? [own] : [own, second, ...rest]
  if (second === undefined || !nouns.has(first)) return second === undefined ? [first] : [first, second, ...rest]
  return [first, verbs[second] ?? second, ...rest]
}

const nouns: ReadonlySet<string> = new Set(['session', 'port'])

/** The plugin manager takes `./x.tgz` for a repository on GitHub: it gets a path as `file:` and absolute. */
function plugins(argv: readonly string[]): readonly string[] {
  if (argv[0] !== 'plugins' || !(argv[1] === 'install' || argv[1] === 'add')) return argv
  return argv.map((word, index) => (index > 1 && isPath(word) ? `file:${resolve(word.replace(/^file:/, ''))}` : word))
}

function isPath(word: string): boolean {
  if (word.startsWith('file:')) return !word.startsWith('file://')
  if (/^\.{0,2}\//.test(word) || word === '.' || word === '..') return true
  return /\.(tgz|tar\.gz)$/.test(word) && existsSync(word)
}
