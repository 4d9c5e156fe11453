import { string } from '@oclif/core/args'
import { string as text } from '@oclif/core/flags'
import { resolve } from 'node:path'
import { AmuxCommand, providerFlag } from '../../../cli/index.ts'

export default class TemplateBuild extends AmuxCommand {
  static override summary = 'Build what computers start from: a system with Node, git and the tools that agents expect.'
  static override description = 'Without a NAME it is the one that computers start from unless told otherwise. Computers that are there already do not change.'
  static override examples = ['<%= config.bin %> <%= command.id %> -P docker', '<%= config.bin %> <%= command.id %> -P docker --from-rootfs debian.tar', '<%= config.bin %> <%= command.id %> team/base --from ubuntu:24.04 -P docker']
  static override args = { name: string({ ignoreStdin: true, description: 'What to call it.' }) }
  static override flags = {
    provider: providerFlag,
    from: text({ summary: 'Another Debian or Ubuntu image to begin with.', helpValue: 'IMAGE', exclusive: ['from-rootfs'] }),
    'from-rootfs': text({ summary: 'A tar file with the root of a Debian to begin with, where no registry can be reached.', helpValue: 'FILE' }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(TemplateBuild)
    const provider = await this.amux.registry.connect(await this.amux.providerId(flags.provider))
    const rootfs = flags['from-rootfs']
    const made = await provider.templates().build({
      signal: this.signal,
      ...(args.name !== undefined && { name: args.name }),
      ...(flags.from !== undefined && { base: flags.from }),
      ...(rootfs !== undefined && { rootfs: resolve(rootfs) }),
    })
    this.out.data({ ...made, provider: provider.id }, () => made.name)
  }
}
