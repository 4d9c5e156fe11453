import type { Command } from '@oclif/core/command'
import type { Config } from '@oclif/core/config'

/**
 * What bash needs to complete amux without starting it: words and flags are written into the script. Computers are read
 * from the user's own notes; only sessions are asked for.
 */
export function bashCompletion(config: Config, providers: readonly string[]): string {
  const aliases = new Set(config.commands.flatMap((command) => command.aliases))
  const commands = config.commands.filter(({ id, hidden }) => !hidden && !aliases.has(id))
  const topics = config.topics.filter(({ hidden }) => !hidden)
  const below = new Map<string, Set<string>>([['', new Set(['sandbox', 'help'])]])
  for (const id of commands.map(({ id }) => id).concat(topics.map(({ name }) => name))) {
    const path = id.split(':')
    const key = path.slice(0, -1).join(' ')
    below.set(key, (below.get(key) ?? new Set()).add(path.at(-1) ?? ''))
  }
  const words = Array.from(below, ([key, list]) => branch(key, [...list].toSorted()))
  const flags = commands.map((command) => branch(command.id.replaceAll(':', ' '), flagsOf(command)))
  const places = commands.flatMap(argument)
  return template(config.bin, { words, flags, places, providers })
}

function branch(key: string, words: readonly string[]): string {
  return `    '${key}') echo '${words.join(' ')}' ;;`
}

function flagsOf({ flags }: Command.Loadable): string[] {
  const shown = Object.values(flags).filter(({ hidden }) => !hidden)
  return shown.flatMap((flag) => (flag.type === 'boolean' && flag.allowNo ? [`--${flag.name}`, `--no-${flag.name}`] : [`--${flag.name}`]))
}

/** What the first argument is, where that can be known. */
function argument({ id, args }: Command.Loadable): string[] {
  const [first] = Object.keys(args)
  const key = id.replaceAll(':', ' ')
  if (first === 'computer' || first === 'session') return [`    '${key}') _AMUX_${first}s "$@" ;;`]
  if (first === 'id' && key.startsWith('provider ')) return [`    '${key}') echo "$_AMUX_PROVIDERS" ;;`]
  return []
}

interface Parts {
  readonly words: readonly string[]
  readonly flags: readonly string[]
  readonly places: readonly string[]
  readonly providers: readonly string[]
}

function template(bin: string, { words, flags, places, providers }: Parts): string {
  return `# Completes ${bin} in bash. Written by: ${bin} autocomplete
_AMUX_PROVIDERS='${providers.join(' ')}'

_AMUX_words() {
  case "$1" in
${words.join('\n')}
  esac
}

_AMUX_flags() {
  case "$1" in
${flags.join('\n')}
  esac
}

_AMUX_argument() {
  local key="$1"
  shift
  case "$key" in
${places.join('\n')}
  esac
}

_AMUX_computers() {
  local state="\${XDG_STATE_HOME:-$HOME/.local/state}/amux"
  [ -z "$AMUX_HOME" ] || state="$AMUX_HOME/state"
  grep -oh '"[a-z][a-z0-9-]*/[a-z][a-z0-9-]*"' "$state"/projects/*.json 2>/dev/null | sed 's|.*/||; s|"$||'
}

_AMUX_sessions() {
  ${bin} computer session ls --json --timeout 2s "$@" 2>/dev/null </dev/null | sed -n 's/^    "\\(id\\|name\\)": "\\(.*\\)",*$/\\2/p'
}

_${bin}_autocomplete() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" key='' word i choice
  local -a where=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [ "$i:$word" = 1:sandbox ] && word=computer
    case "$word" in
      --) COMPREPLY=($(compgen -f -- "$cur")); return ;;
      -c | --computer | -P | --provider) where+=("$word" "\${COMP_WORDS[++i]}") ;;
      -*) ;;
      *) case " $(_AMUX_words "$key") " in *" $word "*) key="\${key:+$key }$word" ;; esac ;;
    esac
  done
  case "$prev" in
    -c | --computer) choice=$(_AMUX_computers) ;;
    -P | --provider) choice="$_AMUX_PROVIDERS" ;;
    *) case "$cur" in
      -*) choice=$(_AMUX_flags "$key") ;;
      *) choice="$(_AMUX_words "$key") $(_AMUX_argument "$key" "\${where[@]}")" ;;
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$choice" -- "$cur"))
}

complete -o default -F _${bin}_autocomplete ${bin}
`
}
