import { string } from '@oclif/core/args'
import { AmuxCommand } from '../../cli/index.ts'
import { forgetProvider } from '../../config/index.ts'

export default class ProviderLogout extends AmuxCommand {
  static override summary = 'Forget the settings and credentials saved for a provider.'
  static override description = 'Environment variables and computers are left alone.'
  static override examples = ['<%= config.bin %> <%= command.id %> sprites', '<%= config.bin %> <%= command.id %> sprites --yes']
  static override args = { id: string({ ignoreStdin: true, description: 'The provider; its plugin may be gone.', required: true }) }

  async execute(): Promise<void> {
    const { args } = await this.parse(ProviderLogout)
    await this.confirm(`Forget what is saved for ${args.id}?`)
    await forgetProvider(args.id)
    this.out.data({ provider: args.id }, () => `Forgot what was saved for ${args.id}.`)
  }
}
