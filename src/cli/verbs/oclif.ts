import type { Interfaces } from '@oclif/core'
import { boolean, string } from '@oclif/core/flags'
import type { FlagSpec, FlagTable } from './argv.ts'

type Plain<S extends FlagSpec> = S['kind'] extends 'switch'
  ? Interfaces.BooleanFlag<boolean>
  : S['kind'] extends 'value'
    ? Interfaces.OptionFlag<string | undefined>
    : Interfaces.OptionFlag<string[] | undefined>

type OclifFlags<T extends FlagTable> = { [K in keyof T]: T[K] extends FlagSpec ? Plain<T[K]> : never }

function text(spec: FlagSpec) {
  return string(shown(spec))
}

function texts(spec: FlagSpec) {
  return string({ ...shown(spec), multiple: true, multipleNonGreedy: true })
}

/** A flag table as oclif wants it, without the flags that every command has anyway. */
export function oclifFlags<T extends FlagTable, B extends keyof T>(table: T, base: Readonly<Record<B, FlagSpec>>): OclifFlags<Omit<T, B>> {
  const own = Object.entries(table).filter(([name]) => !Object.hasOwn(base, name))
  const flags = own.map(([name, spec]) => [name, spec.kind === 'switch' ? boolean({ ...shown(spec), allowNo: spec.negatable === true }) : spec.kind === 'value' ? text(spec) : texts(spec)])
  // Built entry by entry, from a table of the same keys.
  return Object.fromEntries(flags) as OclifFlags<Omit<T, B>>
}

function shown({ char, summary, helpValue }: FlagSpec) {
  // oclif's type lists the letters; ours are letters.
  return { summary, ...(char !== undefined && { char: char as 'a' }), ...(helpValue !== undefined && { helpValue }) }
}
