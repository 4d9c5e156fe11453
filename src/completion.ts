import { join } from 'node:path'
import { paths } from './config/index.ts'

const shells: ReadonlySet<string | undefined> = new Set(['bash', 'zsh'])

/**
 * `amux autocomplete script SHELL`, which a shell's start-up file runs each time: the same line as the completion plugin
 * prints, without loading it. Undefined for anything else.
 */
export function completionScript([topic, command, shell, ...more]: readonly string[]): string | undefined {
  if (topic !== 'autocomplete' || command !== 'script' || !shells.has(shell) || more.length > 0) return undefined
  const variable = `AMUX_AC_${String(shell).toUpperCase()}_SETUP_PATH`
  const setup = join(paths().cache, 'autocomplete', `${shell}_setup`)
  return `\n${variable}=${setup} && test -f $${variable} && source $${variable}; # amux autocomplete setup\n`
}
