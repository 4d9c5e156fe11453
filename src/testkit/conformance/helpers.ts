import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ByteSource, Computer, EquippedComputer, ErrorCode, ExitStatus, Process, SpawnOptions } from '../../contract/index.ts'
import { hasCode, isAmuxError, normalise } from '../../errors/index.ts'

export interface Result {
  readonly exit: ExitStatus
  readonly stdout: Buffer
  readonly stderr: Buffer
}

export async function all(source: ByteSource): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of source) parts.push(chunk)
  return Buffer.concat(parts)
}

/** To the end of the program and of both its streams. */
export async function outcome(program: Process): Promise<Result> {
  const [exit, stdout, stderr] = await Promise.all([program.exit, all(program.stdout), all(program.stderr)])
  return { exit, stdout, stderr }
}

export async function run(computer: Pick<Computer, 'spawn'>, argv: readonly string[], options?: SpawnOptions): Promise<Result> {
  const program = await computer.spawn(argv, options)
  await program.stdin.end()
  return outcome(program)
}

/** The trimmed output of a shell script that must succeed. Its arguments are `$1`, `$2`, … */
export async function sh(computer: Pick<Computer, 'spawn'>, script: string, ...args: readonly string[]): Promise<string> {
  const { exit, stdout, stderr } = await run(computer, ['sh', '-c', script, 'sh', ...args])
  assert.deepEqual(exit, { code: 0 }, `sh -c ${JSON.stringify(script)} failed: ${stderr.toString()}`)
  return stdout.toString().trim()
}

/** The failure must have that code and the shape of every error. */
export async function rejects(work: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<void> {
  const error: unknown = await work.then(
    (value: unknown) => assert.fail(`it should have failed with ${codes.join(' or ')}, and gave ${JSON.stringify(value) ?? 'nothing'}`),
    (reason: unknown) => reason,
  )
  if (error instanceof assert.AssertionError) throw error
  // As everything does that uses a provider: what Node throws counts by its meaning.
  const { code, message } = normalise(error)
  assert.ok(codes.includes(code), `it should have failed with ${codes.join(' or ')}, not with ${code}: ${message}`)
  assert.ok(message.trim() !== '', 'an error must say what failed')
}

/** What an equipped computer throws says where it happened. */
export async function rejectsNamed(computer: EquippedComputer, work: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<void> {
  await rejects(work, ...codes)
  const error = await work.catch((reason: unknown) => normalise(reason))
  assert.ok(isAmuxError(error))
  assert.equal(error.computer, computer.name, `the error does not name its computer: ${error.message}`)
  assert.equal(error.provider, computer.provider, `the error does not name its provider: ${error.message}`)
}

/** Waits for what happens soon, without saying how soon. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (let round = 0; round < 400; round++) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    await sleep(Math.min(10 + round * 5, 100))
  }
  return assert.fail(`it never happened: ${what}`)
}

/** Reads until the text is there; gives what was read so far. The source stays open. */
export class Reader {
  text = ''
  readonly #iterator: AsyncIterator<Uint8Array>
  readonly #decoder = new TextDecoder()

  constructor(source: ByteSource) {
    this.#iterator = source[Symbol.asyncIterator]()
  }

  async until(wanted: string | RegExp): Promise<string> {
    const found = () => (typeof wanted === 'string' ? this.text.includes(wanted) : wanted.test(this.text))
    while (!found()) {
      const next = await this.#iterator.next()
      assert.ok(next.done !== true, `the output ended before ${String(wanted)}; it was ${JSON.stringify(this.text)}`)
      this.text += this.#decoder.decode(next.value, { stream: true })
    }
    return this.text
  }

  async rest(): Promise<string> {
    for (let next = await this.#iterator.next(); next.done !== true; next = await this.#iterator.next()) {
      this.text += this.#decoder.decode(next.value, { stream: true })
    }
    return this.text
  }
}

export async function type(program: Process, text: string): Promise<void> {
  await program.stdin.write(Buffer.from(text))
}

/** Bytes that show every loss, doubling and swap. */
export function pattern(length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length)
  let state = 0x12345678
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    buffer[at] = state >>> 24
  }
  return buffer
}

/** A directory of the test's own on the computer, absolute. It goes with the computer: not every one has a /tmp of its own. */
export async function scratch(computer: Pick<Computer, 'spawn'>): Promise<string> {
  return sh(computer, 'mktemp -d "$HOME/amux-conf.XXXXXX"')
}

/** `false` where a computer only hibernates, which `stop` then says. */
export async function stops(computer: EquippedComputer): Promise<boolean> {
  try {
    await computer.stop()
    return true
  } catch (error) {
    if (hasCode(error, 'unsupported')) return false
    throw error
  }
}

export { sleep }
