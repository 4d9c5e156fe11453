/** Writes one page per topic under docs/commands/ from oclif's manifest. `--check` only says whether they are current. */
import { existsSync, globSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Flag {
  readonly name: string
  readonly char?: string
  readonly summary?: string
  readonly description?: string
  readonly type: 'boolean' | 'option'
  readonly hidden?: boolean
  readonly multiple?: boolean
  readonly helpValue?: string
  readonly options?: readonly string[]
}
interface Arg {
  readonly name: string
  readonly description?: string
  readonly required?: boolean
}
interface Command {
  readonly id: string
  readonly summary?: string
  readonly description?: string
  readonly examples?: readonly (string | { readonly description: string; readonly command: string })[]
  readonly flags: Readonly<Record<string, Flag>>
  readonly args: Readonly<Record<string, Arg>>
  readonly aliases: readonly string[]
  readonly hidden?: boolean
  readonly usage?: string
}

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs', 'commands')

if (import.meta.main) {
  const stale = process.argv.includes('--check') ? outdated() : write()
  if (stale.length > 0) process.stdout.write(`${stale.join('\n')}\n`)
  process.exitCode = process.argv.includes('--check') && stale.length > 0 ? 1 : 0
}

/** Names of pages that differ from what the manifest says. */
export function outdated(): string[] {
  const wanted = pages()
  const there = existsSync(folder) ? readdirSync(folder) : []
  const changed = [...wanted].filter(([name, text]) => !there.includes(name) || readFileSync(join(folder, name), 'utf8') !== text)
  return [...changed.map(([name]) => name), ...there.filter((name) => !wanted.has(name))]
}

function write(): string[] {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of pages()) writeFileSync(join(folder, name), text)
  return []
}

function pages(): Map<string, string> {
  const topics = new Map<string, Command[]>()
  for (const command of manifests().flatMap(({ commands }) => Object.values(commands)).filter(({ hidden }) => hidden !== true)) {
    const words = command.id.split(':')
    const topic = words.length === 1 ? 'top' : words.slice(0, -1).join('-')
    topics.set(topic, [...(topics.get(topic) ?? []), command])
  }
  return new Map([...topics].map(([topic, commands]) => [`${topic}.md`, page(topic, commands)]))
}

/** Of amux and of the providers that are published beside it. */
export function manifests(): readonly { readonly commands: Readonly<Record<string, Command>> }[] {
  const files = globSync(['oclif.manifest.json', 'plugins/*/oclif.manifest.json'], { cwd: root })
  return files.map((file) => JSON.parse(readFileSync(join(root, file), 'utf8')) as { commands: Record<string, Command> })
}

function page(topic: string, commands: readonly Command[]): string {
  const title = topic === 'top' ? 'amux' : `amux ${topic.replaceAll('-', ' ')}`
  const sorted = commands.toSorted((a, b) => byName(a.id, b.id))
  return [`# ${title}`, '', '<!-- Generated from the commands themselves: npm run docs -->', '', ...sorted.map(section)].join('\n')
}

function section(command: Command): string {
  const name = `amux ${command.id.replaceAll(':', ' ')}`
  const args = Object.values(command.args).map((arg) => (arg.required === true ? arg.name.toUpperCase() : `[${arg.name.toUpperCase()}]`))
  const parts = [`## ${name}`, '', plain(command.summary ?? '', command), '', `    ${command.usage === undefined ? [name, ...args, '[FLAGS]'].join(' ') : `amux ${command.usage.replace(command.id, command.id.replaceAll(':', ' '))}`}`, '']
  if (command.description !== undefined) parts.push(plain(command.description, command), '')
  if (command.aliases.length > 0) parts.push(`Also: ${command.aliases.map((alias) => `\`amux ${alias.replaceAll(':', ' ')}\``).join(', ')}`, '')
  parts.push(...table(command), ...examples(command))
  return parts.join('\n')
}

function table(command: Command): string[] {
  const args = Object.values(command.args).map((arg) => [`\`${arg.name.toUpperCase()}\``, arg.description ?? ''])
  const flags = Object.values(command.flags)
    .filter(({ hidden }) => hidden !== true)
    .toSorted((a, b) => byName(a.name, b.name))
    .map((flag) => [usage(flag), flag.summary ?? flag.description ?? ''])
  const rows = [...args, ...flags].map(([left, right]) => `| ${left} | ${plain(right ?? '', command).replaceAll('|', '\\|')} |`)
  return rows.length === 0 ? [] : ['| | |', '|---|---|', ...rows, '']
}

function usage(flag: Flag): string {
  const value = flag.type === 'boolean' ? '' : ` ${flag.options?.join('\\|') ?? flag.helpValue ?? flag.name.toUpperCase()}`
  const short = flag.char === undefined ? '' : `\`-${flag.char}\`, `
  return `${short}\`--${flag.name}${value}\`${flag.multiple === true ? ' …' : ''}`
}

function examples(command: Command): string[] {
  const lines = (command.examples ?? []).map((example) => (typeof example === 'string' ? example : `# ${example.description}\n${example.command}`))
  if (lines.length === 0) return []
  return ['```sh', ...lines.map((line) => plain(line, command)), '```', '']
}

function plain(text: string, command: Command): string {
  return text
    .replaceAll(/<%= *config\.bin *%>/g, 'amux')
    .replaceAll(/<%= *command\.id *%>/g, command.id.replaceAll(':', ' '))
    .replaceAll(/<%= *config\.scopedEnvVarKey\('(\w+)'\) *%>/g, 'AMUX_$1')
    .replaceAll(/<%-? .*?"(\w+)" *%>/g, '$1')
    .trimEnd()
}

/** The same order whatever the language of the machine. */
function byName(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
