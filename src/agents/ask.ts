import type { EquippedComputer, SpawnOptions } from '../contract/index.ts'

/** As much of a computer as it takes to ask it something. */
export type Asked = Pick<EquippedComputer, 'name' | 'spawn'>

export interface Answer {
  /** 0-255, or -1 when a signal ended it. */
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Far more than any answer asked for here. */
const MOST = 64 * 1024

/** Runs a short program on a computer and hands back what it said. */
export async function ask(computer: Asked, argv: readonly string[], options: SpawnOptions = {}): Promise<Answer> {
  const program = await computer.spawn(argv, options)
  // It may have ended, or not read: what it is not given, it does not need.
  program.stdin.end().catch(() => undefined)
  const [stdout, stderr, exit] = await Promise.all([text(program.stdout), text(program.stderr), program.exit])
  return { status: exit.code ?? -1, stdout, stderr }
}

/** A shell script with arguments; nothing is ever pasted into its text. */
export function script(text: string, ...args: readonly string[]): string[] {
  return ['/bin/sh', '-c', text, 'sh', ...args]
}

async function text(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    if (size < MOST) chunks.push(chunk)
    size += chunk.length
  }
  return Buffer.concat(chunks).toString('utf8', 0, Math.min(size, MOST))
}
