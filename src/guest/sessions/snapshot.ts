import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TerminalSize } from '../../contract/index.ts'

const NAME = 'screen'

interface Facts {
  /** Of the output byte that comes next. */
  readonly offset: number
  readonly size: TerminalSize
}

/** A line of JSON, then the bytes that draw the screen. */
export function writeSnapshot(dir: string, facts: Facts, bytes: Uint8Array): void {
  const path = join(dir, NAME)
  try {
    writeFileSync(`${path}.new`, Buffer.concat([Buffer.from(`${JSON.stringify(facts)}\n`), bytes]), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch {
    // A full disk: the log is still there, only longer to read.
  }
}

export function readSnapshot(dir: string): (Facts & { readonly bytes: Buffer }) | undefined {
  try {
    const content = readFileSync(join(dir, NAME))
    const line = content.indexOf(10)
    // Written by this guest or an earlier one; anything else does not parse.
    const { offset, size } = JSON.parse(content.subarray(0, line).toString()) as Facts
    return { offset, size, bytes: content.subarray(line + 1) }
  } catch {
    return undefined
  }
}
