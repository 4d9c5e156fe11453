/** What oclif's parser says, in amux's words. */
const sayings: readonly (readonly [RegExp, (...found: readonly string[]) => string])[] = [
  [/^Parsing --(\S+)\s+(.*)$/s, (flag, rest) => `--${flag}: ${reword(rest ?? '')}`],
  [/^Expected an integer but received: (.*)$/, (given) => `${quoted(given)} is not a whole number`],
  [/^Expected an integer greater than or equal to (\S+) but received: (.*)$/, (least, given) => `${given} is less than ${least}`],
  [/^Expected an integer less than or equal to (\S+) but received: (.*)$/, (most, given) => `${given} is more than ${most}`],
  [/^Expected --(\S+?)=(.*) to be one of: (.*)$/, (flag, given, choice) => `--${flag} takes ${either(choice)}, not ${quoted(given)}`],
  [/^Expected (.*) to be one of: (.*)$/, (given, choice) => `${quoted(given)} is not ${either(choice)}`],
  [/^Flag --(\S+) expects one of these values: (.*)$/, (flag, choice) => `--${flag} takes ${either(choice)}`],
  [/^Flag --(\S+) expects a value$/, (flag) => `--${flag} needs a value`],
  [/^Flag --(\S+) can only be specified once$/, (flag) => `--${flag} is given twice`],
  [/^Missing required flag (\S+)$/, (flag) => `missing flag: --${flag}`],
  [/^--(\S+?)(?:=.*)? cannot also be provided when using --(\S+)$/, (one, other) => `--${one} and --${other} do not go together`],
]

export function reword(message: string): string {
  const text = message
    .replace(/\n?See more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .trim()
  return text.split(/\n\s*/).length > 1 && !text.startsWith('Parsing ') ? unique(text.split(/\n\s*/).map(one)).join('; ') : one(text)
}

function one(text: string): string {
  for (const [pattern, say] of sayings) {
    const found = pattern.exec(text)
    if (found) return say(...found.slice(1))
  }
  return text.replace(/\n\s*/g, '; ')
}

function unique(lines: readonly string[]): readonly string[] {
  return [...new Set(lines)]
}

function quoted(text = ''): string {
  return JSON.stringify(text)
}

/** `a, b, c` as `a, b or c`. */
function either(choice = ''): string {
  return choice.replace(/, ([^,]*)$/, ' or $1')
}
