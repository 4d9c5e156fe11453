import { fail } from '../errors/index.ts'
import type { Agent } from './roster.ts'
import { type Asked, ask, script } from './ask.ts'

/** What a computer has that matters to an agent. */
export interface Findings {
  readonly home: string
  readonly path: string
  /** `uname -m`. */
  readonly arch: string
  /** Absolute path of the agent's program. */
  readonly program?: string
  /** Absolute path, of a Node.js new enough for every agent. */
  readonly node?: string
  readonly npm?: string
  /** The Node.js that amux's guest runs on, where this user may see it. */
  readonly guestNode?: string
}

/** The oldest that all agents' newest releases run on. npm quietly installs an outdated agent on an older one. */
const NODE_MAJOR = 22

const SEARCH = `
name=$1; shift
say() { printf '%s=%s\\n' "$1" "$2"; }
say home "$HOME"; say path "$PATH"; say arch "$(uname -m)"
program=$(command -v -- "$name" 2>/dev/null) || program=
for dir in "$@"; do
  [ -n "$program" ] || ! [ -x "$HOME/$dir/$name" ] || program=$HOME/$dir/$name
done
say program "$program"
if [ -z "$program" ]; then
  say npm "$(command -v npm 2>/dev/null)"
  say node "$(command -v node 2>/dev/null)"
  say version "$(node --version 2>/dev/null)"
  for process in /proc/[0-9]*; do
    read -r called < "$process/comm" && [ "$called" = amux-guest ] || continue
    own=$(readlink "$process/exe") && [ -x "$own" ] && say guest "$own" && break
  done 2>/dev/null
fi
`

/** Looks for the program itself: whether it was ever installed says nothing about whether it is there. */
export async function probe(computer: Asked, agent: Agent, signal: AbortSignal): Promise<Findings> {
  const { status, stdout, stderr } = await ask(computer, script(SEARCH, agent.command, ...agent.directories), { signal })
  const found = new Map(stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const))
  const home = found.get('home')
  if (status !== 0 || !home) {
    throw fail('failed', `${computer.name} cannot be searched for ${agent.command}: ${stderr.trim() || `the shell ended with ${status}`}`, { computer: computer.name })
  }
  const modern = Number(/^v(\d+)\./u.exec(found.get('version') ?? '')?.[1] ?? 0) >= NODE_MAJOR
  return {
    home,
    path: found.get('path') ?? '',
    arch: found.get('arch') ?? '',
    ...some('program', found.get('program')),
    ...some('npm', modern ? found.get('npm') : ''),
    ...some('guestNode', found.get('guest')),
    ...some('node', modern ? found.get('node') : ''),
  }
}

function some<K extends string>(key: K, value: string | undefined): { [key in K]?: string } {
  return value ? ({ [key]: value } as { [key in K]: string }) : {}
}
