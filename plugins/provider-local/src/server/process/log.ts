import { appendFileSync, copyFileSync, statSync, truncateSync } from 'node:fs'

/** Two of them are kept: this one and the one before. */
const MOST = 5 * 1024 * 1024

/** Lines with their time, in a file that does not grow for ever. A full disk costs lines, not the server. */
export function logTo(file: string): (line: string) => void {
  return (line) => {
    try {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MOST) {
        // What writes to it still has it open.
        copyFileSync(file, `${file}.1`)
        truncateSync(file)
      }
      appendFileSync(file, `${new Date().toISOString()} ${line.replace(/\p{Cc}/gu, ' ')}\n`, { mode: 0o600 })
    } catch {
      // Nowhere is left to say it.
    }
  }
}
