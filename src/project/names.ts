import { randomInt } from 'node:crypto'
import { fail } from '../errors/index.ts'

const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'
const NAME = /^[a-z][a-z0-9-]{0,54}$/u

/** `amux-<project>-<short id>`: lower case, at most 55 characters, valid on every provider. */
export function computerName(project: string): string {
  const slug = project
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/gu, '')
  const id = Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  return `amux-${slug === '' ? 'project' : slug}-${id}`
}

export function isComputerName(name: string): boolean {
  return NAME.test(name) && !name.endsWith('-')
}

/** `invalid_argument` for what is no name. */
export function expectName(name: string): void {
  if (!isComputerName(name)) throw fail('invalid_argument', `"${name}" cannot be a computer's name`, { hint: 'Use up to 55 lower-case letters, digits and dashes, a letter first.' })
}
