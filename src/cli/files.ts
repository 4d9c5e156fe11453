import { string } from '@oclif/core/args'
import { boolean, custom } from '@oclif/core/flags'
import type { EquippedComputer, FileStat } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import { isPlaced, pathOn } from '../project/directory.ts'
import type { AmuxCommand } from './base.ts'
import type { ComputerSelection } from './flags.ts'
import { placeOn } from './place.ts'

/** The paths that follow are more of it. */
export const pathArg = string({ required: true, description: 'Path on the computer.', ignoreStdin: true })

export const recursiveFlag = boolean({ char: 'r', summary: 'Directories too, with all that is in them.' })

/** Permission bits, from octal text such as `644`. */
export const modeFlag = custom<number>({ helpValue: 'MODE', parse: async (text) => parseMode(text) })

export function parseMode(text: string): number {
  if (/^[0-7]{3,4}$/u.test(text)) return Number.parseInt(text, 8)
  throw fail('invalid_argument', `"${text}" is no file mode`, { hint: 'Write it in octal, like 644 or 755.' })
}

export interface Reached {
  readonly computer: EquippedComputer
  /** As the computer takes them. */
  readonly paths: readonly string[]
}

/** A running computer and paths on it, as they were typed. */
export async function reach({ amux }: Pick<AmuxCommand, 'amux'>, selection: ComputerSelection, typed: readonly string[]): Promise<Reached> {
  const computer = await amux.computer(selection, { start: true })
  const empty = typed.some((path) => path === '')
  if (empty) throw fail('invalid_argument', 'a path is empty')
  if (typed.every(isPlaced)) return { computer, paths: typed.map((path) => pathOn('.', path)) }
  const { directory = '.', away } = await placeOn(amux, computer)
  if (away) throw away
  return { computer, paths: typed.map((path) => pathOn(directory, path)) }
}

/** Says where it failed: a provider's own message may not. */
export function about(computer: Pick<EquippedComputer, 'name'>, path: string, error: unknown): Error {
  if (!(error instanceof Error)) return fail('failed', `${path} on ${computer.name}: ${String(error)}`)
  if (!error.message.includes(path)) error.message = `${path} on ${computer.name}: ${error.message}`
  return error
}

const letters = { file: '-', directory: 'd', link: 'l', other: '?' } as const

/** As `ls -l` writes it: `drwxr-xr-x`. */
export function describeMode({ type, mode }: Pick<FileStat, 'type' | 'mode'>): string {
  const bits = [...'rwxrwxrwx'].map((letter, index) => ((mode & (0o400 >> index)) === 0 ? '-' : letter))
  const special = [[0o4000, 2, 's'], [0o2000, 5, 's'], [0o1000, 8, 't']] as const
  for (const [bit, at, letter] of special) if ((mode & bit) !== 0) bits[at] = bits[at] === '-' ? letter.toUpperCase() : letter
  return letters[type] + bits.join('')
}

/** Of this machine's time zone, as `2026-03-01 09:30`. */
export function describeTime(mtime: number): string {
  return new Date(mtime).toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'short' })
}
