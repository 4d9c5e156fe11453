import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findAgent } from './agents/roster.ts'

/** Where amux is installed: this file is built into its `dist`. */
const root = join(import.meta.dirname, '..')

/** The first thing that runs. What is asked for most often is answered before anything large is loaded. */
export function start(argv: readonly string[]): void {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === 'version')) console.log(banner())
  else void early(argv).then((done) => (done ? undefined : ordinary(argv)))
}

async function early(argv: readonly string[]): Promise<boolean> {
  if (argv[0] !== 'autocomplete') return hot(argv)
  const { completionScript } = await import('./completion.ts')
  const script = completionScript(argv)
  if (script !== undefined) console.log(script)
  return script !== undefined
}

async function ordinary(argv: readonly string[]): Promise<void> {
  const { main } = await import('./main.ts')
  await main({ root, argv, development: false })
}

const hotVerbs: ReadonlySet<string | undefined> = new Set(['exec', 'x', 'shell', 'console', 'connect', 'attach', 'run', 'cp'])

/** Verbs that people and scripts type all day are tried without the machinery. */
async function hot(argv: readonly string[]): Promise<boolean> {
  const [topic, verb] = argv
  const below = topic === 'computer' || topic === 'sandbox'
  if (!(below ? hotVerbs.has(verb) : findAgent(topic ?? ''))) return false
  const { tryFast } = await import('./fast.ts')
  return tryFast(argv)
}

function banner(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return `amux/${version} ${process.platform}-${process.arch} node-${process.version}`
}
