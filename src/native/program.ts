import { existsSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const own = `amux-init-linux-${process.arch}`
/** Beside a guest, as it is brought or as it is built; of amux as it is built; in its sources. */
const places = ['amux-init', `native/${own}`, `guest/native/${own}`, `../guest/native/${own}`, `../guest/native/prebuilt/${own}`].map((path) => join(here, path))

let found: string | undefined

/** Where this machine's amux-init is: what is done in C, because Node takes too long for it or cannot. Undefined where it cannot run. */
export function initProgram(): string | undefined {
  if (process.platform !== 'linux') return undefined
  return (found ??= places.find((path) => existsSync(path)))
}
