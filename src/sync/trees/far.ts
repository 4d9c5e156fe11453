import { fail } from '../../errors/index.ts'
import { collect } from '../../util/streams.ts'
import type { Sides } from '../sides.ts'
import type { Ran, ShellOptions } from './tree.ts'

/** Up to here a program's output is taken from itself. Some providers lose bytes of a long one without a word. */
const SHORT = 32 * 1024
const LONGEST = 256 * 1024 * 1024

const around = (script: string) => `export LC_ALL=C
cd "$1" && mkdir -p "$2" || exit 95
at=$2/$3 in=$4
shift 4
(
${script}
) < "$in" > "$at.out"
status=$?
size=$(wc -c < "$at.out") || exit 95
echo "$((size))"
[ "$size" -gt ${SHORT} ] || cat "$at.out"
exit $status`

/** Short shell programs on a computer. Input and long output go through files, so that no byte is lost. */
export class Far {
  readonly #computer: Sides
  readonly #root: string
  readonly #scratch: string
  readonly #signal: AbortSignal
  #count = 0

  constructor(computer: Sides, root: string, scratch: string, signal: AbortSignal) {
    this.#computer = computer
    this.#root = root
    this.#scratch = scratch
    this.#signal = signal
  }

  async run(script: string, { args = [], input = '' }: ShellOptions): Promise<Ran> {
    const { files } = this.#computer
    const name = String(this.#count++)
    const at = `${this.#root}/${this.#scratch}/${name}`
    if (input !== '') await files.write(`${at}.in`, Buffer.from(input), { parents: true, signal: this.#signal })
    const { code, stdout, said } = await this.#spawn(around(script), [this.#root, this.#scratch, name, input === '' ? '/dev/null' : `${at}.in`, ...args], this.#signal)
    if (code === 95) throw this.#failed(`${this.#root} on ${this.#computer.name} cannot be used${said === '' ? '' : `: ${said}`}`)
    const end = stdout.indexOf(0x0a)
    const size = Number(stdout.subarray(0, Math.max(0, end)).toString())
    if (end < 1 || !Number.isSafeInteger(size)) throw fail('connection_lost', `what a program on ${this.#computer.name} printed did not arrive`, { computer: this.#computer.name })
    const inline = stdout.subarray(end + 1)
    const output = inline.length === size ? inline : await collect(files.read(`${at}.out`, { signal: this.#signal }), LONGEST)
    if (output.length !== size) throw this.#failed(`${at}.out on ${this.#computer.name} has ${output.length} bytes instead of ${size}`)
    return { code, output, said }
  }

  /** Also after an interruption. */
  async tidy(): Promise<void> {
    await this.#spawn('cd "$1" && rm -rf "$2" && { rmdir .amux 2>/dev/null || :; }', [this.#root, this.#scratch])
  }

  async #spawn(script: string, args: readonly string[], signal?: AbortSignal): Promise<{ readonly code: number; readonly stdout: Buffer; readonly said: string }> {
    const program = await this.#computer.spawn(['/bin/sh', '-c', script, 'sh', ...args], { cwd: '/', ...(signal && { signal }) })
    const [stdout, stderr, status] = await Promise.all([collect(program.stdout, 2 * SHORT), collect(program.stderr), program.exit, program.stdin.end().catch(() => undefined)])
    if (status.code === undefined) throw this.#failed(`a program on ${this.#computer.name} was ended by ${status.signal}`)
    return { code: status.code, stdout, said: stderr.toString().trim().slice(-500) }
  }

  #failed(message: string): Error {
    return fail('failed', message, { computer: this.#computer.name })
  }
}
