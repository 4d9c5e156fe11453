import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where amux is installed: this file is built into its `dist`. */
const root = join(import.meta.dirname, '..')

/** The first thing that runs. What is asked for most often is answered before anything large is loaded. */
export function start(argv: readonly string[]): void {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === 'version')) console.log(banner())
  else void import('./main.ts').then(({ main }) => main({ root, argv, development: false }))
}

function banner(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return `amux/${version} ${process.platform}-${process.arch} node-${process.version}`
}
