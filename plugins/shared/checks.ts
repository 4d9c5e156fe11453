import { fail } from './errors.ts'

const NAME = /^[a-z][a-z0-9-]{0,54}$/

export function checkName(name: string): void {
  if (NAME.test(name)) return
  throw fail('invalid_argument', `${JSON.stringify(name)} is not a computer's name`, { hint: 'A name begins with a letter and has at most 55 letters a-z, digits and dashes.', source: 'amux' })
}

export function checkArgv(argv: readonly string[]): void {
  const valid = argv.length > 0 && argv[0] !== '' && !argv.some((part) => part.includes('\0'))
  if (!valid) throw fail('invalid_argument', 'a command needs a program, and no argument may hold a NUL byte', { source: 'amux' })
}

/** The environment of a new computer. */
export function checkEnvironment(env: Readonly<Record<string, string>> = {}): void {
  for (const [key, value] of Object.entries(env)) if (key === '' || /[=\0]/.test(key) || value.includes('\0')) throw fail('invalid_argument', `${JSON.stringify(key)} cannot be an environment variable`, { source: 'amux' })
}
