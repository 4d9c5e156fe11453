export const globals: ReadonlySet<string> = new Set(['--json', '-q', '--quiet', '-y', '--yes'])

/** What people type, as the commands expect it. What stands after the first `--` is never touched. */
export function rewrite(argv: readonly string[]): readonly string[] {
  const cut = argv.indexOf('--')
  const own = cut < 0 ? argv : argv.slice(0, cut)
  return [...synonyms(asked(version(flagsLast(own)))), ...argv.slice(own.length)]
}

/** `amux --json computer ls` */
function flagsLast(argv: readonly string[]): readonly string[] {
  const first = argv.findIndex((word) => !globals.has(word))
  return first <= 0 ? argv : [...argv.slice(first), ...argv.slice(0, first)]
}

/** `amux -v`, `amux --version --json` */
function version([first, ...rest]: readonly string[]): readonly string[] {
  if (first === undefined) return []
  return ['--version', '-v', '-V'].includes(first) && rest.every((word) => globals.has(word)) ? ['version', ...rest] : [first, ...rest]
}

/** `amux help computer exec`, `amux computer help exec` */
function asked(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('help')
  return at >= 0 && argv.slice(0, at).every((word) => topics.has(word)) ? [...argv.slice(0, at), ...argv.slice(at + 1), '--help'] : argv
}

/** What stands before a verb. */
const topics: ReadonlySet<string> = new Set(['computer', 'sandbox', 'session', 'port', 'checkpoint', 'network', 'service', 'fs', 'sync', 'template', 'idle', 'provider', 'plugins', 'autocomplete'])

/** Other words for the verbs. Their commands name them as aliases, for help and completion. */
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

/** A computer has one policy: there is nothing to list. */
const policyVerbs: Readonly<Record<string, string>> = { delete: 'rm', destroy: 'rm', info: 'show', ls: 'show', list: 'show' }

/** Files have the words of a shell. */
const fileVerbs: Readonly<Record<string, string>> = { list: 'ls', delete: 'rm', copy: 'cp', rename: 'mv', info: 'stat', show: 'stat' }

/** Below `computer`, these stand before a verb of their own. */
const nouns: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map([['session', verbs], ['port', verbs], ['checkpoint', verbs], ['network', policyVerbs], ['service', verbs], ['fs', fileVerbs], ['sync', {}], ['template', verbs], ['idle', { info: 'show' }]])

/** `sandbox` is the old word for computer. */
function synonyms(argv: readonly string[]): readonly string[] {
  const [topic, ...rest] = argv
  if (topic === 'provider') return [topic, ...verb(rest, verbs)]
  if (topic !== 'computer' && topic !== 'sandbox') return argv
  const [noun, ...more] = rest
  const own = noun === undefined ? undefined : nouns.get(noun)
  return noun !== undefined && own ? ['computer', noun, ...verb(more, own)] : ['computer', ...verb(rest, verbs)]
}

function verb([first, ...rest]: readonly string[], words: Readonly<Record<string, string>>): readonly string[] {
  if (first === undefined) return []
  return [Object.hasOwn(words, first) ? (words[first] ?? first) : first, ...rest]
}
