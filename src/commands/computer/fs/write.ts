import { boolean, string } from '@oclif/core/flags'
import { stat } from 'node:fs/promises'
import type { ByteSource } from '../../../contract/index.ts'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { about, modeFlag, pathArg, reach } from '../../../cli/files.ts'
import { fail } from '../../../errors/index.ts'
import { formatBytes } from '../../../util/bytes.ts'
import { readableAt } from '../../../util/readable.ts'

export default class FsWrite extends AmuxCommand {
  static override summary = 'Write a file on a computer, from standard input or a file here.'
  static override description = 'The old file stays whole until the last byte arrived. One that is there keeps its mode and owner; a new one gets 644.'
  static override examples = ['echo hello | <%= config.bin %> <%= command.id %> notes.txt', '<%= config.bin %> <%= command.id %> ~/bin/tool --from ./tool --mode 755 -p']
  static override args = { path: pathArg }
  static override flags = {
    ...computerFlags,
    from: string({ summary: 'File here to take it from. Default: standard input.', helpValue: 'FILE' }),
    mode: modeFlag({ summary: 'Permissions in octal, like 600.' }),
    parents: boolean({ char: 'p', summary: 'Make the directories above it.' }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(FsWrite)
    const source = flags.from === undefined ? this.#stdin() : await this.#file(flags.from)
    const { computer, paths } = await reach(this, flags, [args.path])
    const [path = ''] = paths
    let size = 0
    const counted = async function* (): ByteSource {
      for await (const chunk of source) {
        size += chunk.length
        yield chunk
      }
    }
    const { mode, parents } = flags
    await computer.files.write(path, counted(), { parents, signal: this.signal, ...(mode !== undefined && { mode }) }).catch((error: unknown) => {
      throw about(computer, path, error)
    })
    this.out.data({ computer: computer.name, path, size }, () => `${path}: ${formatBytes(size)}`)
  }

  async #file(from: string): Promise<ByteSource> {
    const found = await stat(from).catch(() => undefined)
    if (!found) throw fail('not_found', `there is no ${from} here`)
    if (found.isDirectory()) throw fail('invalid_argument', `${from} is a directory`, { hint: `Copy it: amux computer cp ${from} :PATH` })
    return readableAt(from)
  }

  #stdin(): ByteSource {
    if (process.stdin.isTTY) throw fail('invalid_argument', 'its content is expected on standard input', { hint: 'Pipe it in, or name a file here: --from FILE' })
    return process.stdin
  }
}
