import { string } from '@oclif/core/flags'
import { createWriteStream } from 'node:fs'
import { realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { checkpointArg } from '../../../cli/checkpoints.ts'
import { fail, normalise } from '../../../errors/index.ts'
import { formatBytes } from '../../../util/bytes.ts'
import { pump, sinkOf } from '../../../util/streams.ts'

const EVERY_MS = 200

export default class CheckpointExport extends AmuxCommand {
  static override summary = 'Write a checkpoint to a tar file that another computer can import, on whatever provider.'
  static override description = 'The file holds everything that is on the disk, secrets included; it is written for you alone to read. It says first what it is and where it comes from; device files, and setuid bits outside the system, stay out.'
  static override examples = ['<%= config.bin %> <%= command.id %> v3 -o before.tar', '<%= config.bin %> <%= command.id %> v3 | zstd > before.tar.zst']
  static override args = { checkpoint: checkpointArg }
  static override flags = { ...computerFlags, output: string({ char: 'o', summary: 'Where to write it. Default: -, standard output.', helpValue: 'FILE', default: '-' }) }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(CheckpointExport)
    const { output } = flags
    if (output === '-' && process.stdout.isTTY) throw fail('invalid_argument', 'a tar stream does not belong on a terminal', { hint: 'Name a file: -o FILE. Or redirect it: > FILE' })
    const { checkpoints } = await this.amux.computer(flags)
    const tar = checkpoints.export(args.checkpoint, { signal: this.signal })
    if (output !== '-') return this.#toFile(args.checkpoint, tar, output)
    for await (const chunk of tar) await this.out.bytes(chunk)
  }

  /** Whole or not at all; into a device or a pipe as it comes. */
  async #toFile(id: string, tar: AsyncIterable<Uint8Array>, file: string): Promise<void> {
    const there = await stat(file).catch(() => undefined)
    if (there?.isDirectory()) throw fail('invalid_argument', `${file} is a directory`, { hint: `Name a file: -o ${join(file, `${id}.tar`)}` })
    if (!there && (await isMissing(dirname(file)))) throw fail('not_found', `there is no directory ${dirname(file)}`)
    const plain = there?.isFile() ?? true
    const target = there && plain ? await realpath(file) : file
    const part = plain ? `${target}.part-${process.pid}` : target
    const stream = createWriteStream(part, plain ? { mode: 0o600, flags: 'wx', flush: true } : { flags: 'w' })
    const sink = sinkOf(stream)
    let bytes = 0
    try {
      await pump(this.#counted(tar, (count) => (bytes += count)), sink)
      await sink.end()
      if (plain) await rename(part, target)
    } catch (error) {
      stream.destroy()
      if (plain) await rm(part, { force: true })
      const { code, message } = normalise(error)
      throw message.includes(part) ? fail(code, message.replaceAll(part, file), { cause: error }) : error
    }
    this.out.data({ id, file, bytes }, () => `${id} is in ${file}: ${formatBytes(bytes)}`)
  }

  async *#counted(tar: AsyncIterable<Uint8Array>, count: (bytes: number) => number): AsyncGenerator<Uint8Array> {
    let told = performance.now()
    for await (const chunk of tar) {
      const bytes = count(chunk.length)
      if (performance.now() - told > EVERY_MS) {
        this.out.progress(`Writing: ${formatBytes(bytes)}`)
        told = performance.now()
      }
      yield chunk
    }
  }
}

function isMissing(path: string): Promise<boolean> {
  return stat(path).then(
    () => false,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
  )
}
