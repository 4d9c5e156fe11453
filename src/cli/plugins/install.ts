import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fail } from '../../errors/index.ts'
import { paths } from '../../config/index.ts'
import { packageOf, userPlugins } from '../../registry/index.ts'
import { pluginList } from './list.ts'
import { json } from '../../util/text.ts'
import { probe, registryOf } from './npm-registry.ts'

/** For the npm that the plugin manager starts. What the user set stays. */
const quick: Readonly<Record<string, string>> = {
  npm_config_fetch_retries: '0',
  npm_config_update_notifier: 'false',
}

/**
 * Readies `plugins install`: a path, as people type it, becomes what the plugin manager understands (it takes `./x.tgz`
 * for a repository on GitHub), and a registry that does not answer is told at once.
 */
export async function prepareInstall(argv: readonly string[]): Promise<readonly string[]> {
  for (const [name, value] of Object.entries(quick)) process.env[name] ??= value
  const ready = argv.map((word) => (word.startsWith('-') ? word : specification(word)))
  const named = ready.filter((word) => !word.startsWith('-') && !/^[\w+]+:|\.git$/.test(word))
  // Updating asks the registry for whatever is installed.
  const asked = argv.length === 0 ? [''] : named.map((name) => name.replace(/(?<!^)@.*/, ''))
  await Promise.all(asked.map((name) => probe(registryOf(name, process.env, paths().data), name, process.env)))
  return ready
}

/** `plugins link` says nothing at all of a directory that is none. */
export function prepareLink(argv: readonly string[]): readonly string[] {
  const path = resolve(argv.find((word) => !word.startsWith('-')) ?? '.')
  if (existsSync(join(path, 'package.json'))) return argv
  throw fail('not_found', `there is no plugin in ${path}`, { hint: 'Give the directory that holds its package.json.' })
}

/** An installed plugin that does not work is not what the user wanted, though it is there. */
export async function checkInstalled(argv: readonly string[], root: string): Promise<void> {
  const words = argv.filter((word) => !word.startsWith('-'))
  const wanted = userPlugins(paths().data).filter(({ name, root: place, url }) => words.some((word) => word === url || resolve(word) === place || word.replace(/(?<!^)@.*/, '') === name))
  const installed = (await pluginList(root)).filter(({ name }) => wanted.some((one) => one.name === name))
  const first = installed.find(({ problem }) => problem !== undefined)
  if (first === undefined) {
    if (argv.includes('--json')) process.stdout.write(`${json(installed, 2)}\n`)
    return
  }
  throw fail('provider_broken', `${first.name} is installed, but does not work: ${first.problem}`, { hint: `Remove it: amux plugins uninstall ${first.name}. Or tell its author.` })
}

function specification(word: string): string {
  if (!isPath(word)) return packageOf(word) ?? word
  const path = resolve(word.replace(/^file:/, ''))
  if (!existsSync(path)) throw fail('not_found', `there is no file ${path}`, { hint: 'Give the path of a packed plugin (npm pack) or of its directory.' })
  return `file:${path}`
}

function isPath(word: string): boolean {
  if (word.startsWith('file:')) return !word.startsWith('file://')
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(word)) return true
  return existsSync(word) && /\.(tgz|tar\.gz)$/.test(word)
}
