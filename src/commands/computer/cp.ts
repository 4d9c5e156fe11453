import { string } from '@oclif/core/args'
import type { EquippedComputer } from '../../contract/index.ts'
import { AmuxCommand, computerFlags, placeOn } from '../../cli/index.ts'
import { fail } from '../../errors/index.ts'
import { isPlaced, pathOn } from '../../project/index.ts'
import { copyIn, copyOut, readFile, readTar, writeTar } from '../../sync/index.ts'
import { formatBytes } from '../../util/bytes.ts'

/** Not to be opened anew: it may be a socket, or be appended to. */
const STDOUT = /^\/(dev\/(stdout|fd\/1)|proc\/self\/fd\/1)$/u

interface Remote {
  readonly computer: string | undefined
  readonly path: string
}

export default class Cp extends AmuxCommand {
  static override summary = 'Copy files and directories to or from a computer.'
  static override description = `COMPUTER:PATH is on a computer, :PATH on this project's. There, a relative path begins in the directory you stand in, as for "exec", and ~ is the home directory. Into an existing directory things are copied under their name; DIRECTORY/. copies what is in it. "-" is a tar stream on standard input or output. Links are copied as links and never followed, but a link on the computer that is named itself gives the file it leads to; setuid bits are taken off. Sockets, pipes and devices in a directory are left out, and of one on a computer names that are no UTF-8; a pipe or a device that is named itself is read or written, never replaced.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./dump.sql :/tmp/',
    '<%= config.bin %> <%= command.id %> :build/report.html .',
    'tar c src | <%= config.bin %> <%= command.id %> - :~/copy',
    '<%= config.bin %> <%= command.id %> :/etc - | tar t',
  ]
  static override args = {
    source: string({ required: true, description: 'PATH, COMPUTER:PATH, :PATH, or - for a tar stream.', ignoreStdin: true }),
    target: string({ required: true, description: 'The same.', ignoreStdin: true }),
  }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Cp)
    const [from, to] = [remote(args.source), remote(args.target)]
    const there = from ?? to
    if (!there || (from && to)) throw fail('invalid_argument', 'one side must be on a computer (:PATH), and the other here')
    const computer = await this.amux.computer({ computer: there.computer ?? flags.computer, provider: flags.provider }, { start: true })
    const path = await this.#path(computer, there.path)
    const local = from ? args.target : args.source
    const onSkipped = (path: string, what: string) => this.out.say(`amux: left out ${path}: ${what}`)
    const options = { signal: this.signal, onBytes: this.#shown(`${args.source} to ${args.target}`), onSkipped }
    if (from && STDOUT.test(local)) await this.#toStdout(readFile(computer, path, options))
    else if (local === '-') await (from ? this.#tarToStdout(readTar(computer, path, options)) : writeTar(computer, path, this.#stdin(), options))
    else await (from ? copyOut(computer, path, local, options) : copyIn(computer, local, path, options))
    if (this.out.json && args.target !== '-' && !STDOUT.test(args.target)) this.out.data({ computer: computer.name, source: args.source, target: args.target }, () => '')
  }

  /** Where a path on the computer begins. */
  async #path(computer: EquippedComputer, path: string): Promise<string> {
    if (isPlaced(path)) return pathOn('.', path)
    const { directory = '.', away } = await placeOn(this.amux, computer)
    if (away) throw away
    const dot = path.endsWith('/.') || path === '.' ? '/.' : ''
    return `${pathOn(directory, path)}${dot}`
  }

  #shown(what: string): (count: number) => void {
    let last = performance.now()
    return (count) => {
      if (performance.now() - last < 500) return
      last = performance.now()
      this.out.progress(`Copying ${what}: ${formatBytes(count)}`)
    }
  }

  async #toStdout(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of bytes) await this.out.bytes(chunk)
  }

  async #tarToStdout(tar: AsyncIterable<Uint8Array>): Promise<void> {
    if (process.stdout.isTTY) throw fail('invalid_argument', 'a tar stream does not belong on a terminal', { hint: 'Redirect it: > FILE, or | tar x' })
    await this.#toStdout(tar)
  }

  #stdin(): AsyncIterable<Uint8Array> {
    if (process.stdin.isTTY) throw fail('invalid_argument', 'a tar stream is expected on standard input', { hint: 'tar c FILES | amux computer cp - :DIRECTORY' })
    return process.stdin
  }
}

/** `./a:b` and `/a:b` are files here. */
function remote(text: string): Remote | undefined {
  const match = /^([a-z][a-z0-9-]*)?:(.*)$/su.exec(text)
  return match ? { computer: match[1], path: match[2] || '.' } : undefined
}
