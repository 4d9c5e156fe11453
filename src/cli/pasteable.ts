import type { AmuxError } from '../contract/index.ts'
import { roster } from '../agents/roster.ts'
import type { ComputerSelection } from './flags.ts'

/** Commands about one computer, as hints have them; what follows up to the next command or the end of the sentence. */
const verbs = '(?:session|port|checkpoint|network|service|fs|sync) [a-z]+|undo|info|start|stop|restart|exec|shell|attach|run|wait|capabilities|proxy|url'
const commands = new RegExp(`\\bamux (?:computer (?:${verbs})|${roster.map(({ id }) => id).join('|')})\\b(?! --help)([^,;\\n]*?)(?=[,;\\n]|\\. |\\.?$|\\bamux )`, 'gm')

/** A hint's commands must mean the same computer as the command that failed: `-c` and `-P` go along. */
export function pasteable(error: AmuxError, { computer, provider }: ComputerSelection = {}): AmuxError {
  if (error.hint === undefined || (computer === undefined && provider === undefined)) return error
  const hint = error.hint.replace(commands, (whole: string, rest: string) => {
    const has = (...flags: readonly string[]) => rest.split(' ').some((word) => flags.includes(word))
    const missing = [
      ...(computer === undefined || has('-c', '--computer', computer) ? [] : ['-c', computer]),
      ...(provider === undefined || has('-P', '--provider') ? [] : ['-P', provider]),
    ]
    const command = whole.slice(0, whole.length - rest.length)
    return [command, ...missing].join(' ') + rest
  })
  return hint === error.hint ? error : Object.assign(error, { hint })
}
