import { string } from '@oclif/core/args'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { checkpointArg } from '../../../cli/checkpoints.ts'
import { fail } from '../../../errors/index.ts'
import { formatBytes } from '../../../util/bytes.ts'
import { pump, sinkOf } from '../../../util/streams.ts'

export default class CheckpointExport extends AmuxCommand {
  static override summary = 'Write a checkpoint to a tar file that any computer of the same kind can import.'
  static override description = 'The file holds everything that is on the disk, secrets included; it is written for you alone to read. "-" is standard output.'
  static override examples = ['<%= config.bin %> <%= command.id %> v3 before.tar', '<%= config.bin %> <%= command.id %> v3 - | zstd > before.tar.zst']
  static override args = { checkpoint: checkpointArg, file: string({ required: true, description: 'File to write, or -.', ignoreStdin: true }) }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(CheckpointExport)
    const { checkpoints } = await this.amux.computer(flags)
    const tar = checkpoints.export(args.checkpoint, { signal: this.signal })
    if (args.file !== '-') return this.#toFile(args.checkpoint, tar, args.file)
    if (process.stdout.isTTY) throw fail('invalid_argument', 'a tar stream does not belong on a terminal', { hint: 'Name a file, or redirect it: > FILE' })
    for await (const chunk of tar) await this.out.bytes(chunk)
  }

  /** Whole or not at all. */
  async #toFile(id: string, tar: AsyncIterable<Uint8Array>, file: string): Promise<void> {
    const part = `${file}.part-${process.pid}`
    const stream = createWriteStream(part, { mode: 0o600, flags: 'wx', flush: true })
    const sink = sinkOf(stream)
    let bytes = 0
    try {
      await pump(this.#counted(tar, (count) => (bytes += count)), sink)
      await sink.end()
      await rename(part, file)
    } catch (error) {
      stream.destroy()
      await rm(part, { force: true })
      throw error
    }
    this.out.data({ id, file, bytes }, () => `${id} is in ${file}: ${formatBytes(bytes)}`)
  }

  async *#counted(tar: AsyncIterable<Uint8Array>, count: (bytes: number) => number): AsyncGenerator<Uint8Array> {
    for await (const chunk of tar) {
      this.out.progress(`Writing: ${formatBytes(count(chunk.length))}`)
      yield chunk
    }
  }
}
