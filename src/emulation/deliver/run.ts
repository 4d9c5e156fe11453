import type { ByteSource, Computer, Process } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { collect, pump } from '../../util/streams.ts'

export interface RunResult {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** A short program over the provider's own `spawn`, to its end. Its input may be long, its output may not. */
export async function run(computer: Computer, argv: readonly string[], input?: ByteSource, signal?: AbortSignal): Promise<RunResult> {
  const program = await computer.spawn(argv, { ...ROOT, ...(signal && { signal }) })
  const [stdout, stderr, status] = await Promise.all([
    collect(program.stdout),
    lastWords(program.stderr),
    program.exit,
    feed(program, input),
  ])
  if (status.code === undefined) throw fail('failed', `${argv[0]} was ended by ${status.signal} on the computer`)
  return { code: status.code, stdout, stderr }
}

/** Works on every computer, whatever its workspace. */
export const ROOT = { cwd: '/' } as const

/** The end of what a program said, for an error message. Reads everything, so that it is never held up. */
export async function lastWords(source: ByteSource): Promise<string> {
  let tail = Buffer.alloc(0)
  for await (const chunk of source) tail = Buffer.concat([tail, chunk]).subarray(-2000)
  return tail.toString().trim()
}

async function feed(program: Process, input: ByteSource | undefined): Promise<void> {
  try {
    if (input !== undefined) await pump(input, program.stdin)
    await program.stdin.end()
  } catch {
    // A program that ends early says why by its status.
  }
}
