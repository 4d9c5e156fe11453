import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { arch } from 'node:os'
import { join } from 'node:path'
import { fail } from './errors.ts'

let found: string | undefined

/** Our native helper for this machine: beside the bundle, or in the source tree. */
export function boxPath(): string {
  const file = `amux-box-linux-${arch()}`
  const places = [join(import.meta.dirname, 'native', file), join(import.meta.dirname, '../native/prebuilt', file)]
  found ??= places.find((path) => existsSync(path))
  if (found !== undefined) return found
  throw fail('unsupported', `the local provider has no helper for ${process.platform} on ${arch()}`, {
    hint: 'Use Docker instead: amux plugins install @amux/provider-docker',
  })
}

/** Lines of a helper's answers, as they come; ends when the helper lets go of the pipe. */
export async function* answers(child: ChildProcess): AsyncGenerator<string, void, void> {
  let rest = ''
  for await (const chunk of child.stdout ?? []) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}

export interface Finished {
  readonly status: number
  readonly stderr: string
}

/** Runs the helper to its end. */
export async function runBox(args: readonly string[], input = ''): Promise<Finished> {
  const child = spawn(boxPath(), args, { stdio: ['pipe', 'ignore', 'pipe'], env: {} })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status: status ?? 1, stderr: stderr.trim() }))
  })
}
