import { randomInt } from 'node:crypto'

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
