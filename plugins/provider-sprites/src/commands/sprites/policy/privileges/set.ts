import { option, options, spriteFlags } from '../../../../chosen.ts'
import { command } from '../../../../../../shared/command.ts'
import { fail } from '../../../../errors.ts'
import { type Privileges, setPolicy } from '../../../../policies.ts'

const profiles: Readonly<Record<string, Privileges['profile']>> = { minimal: 'minimal', standard: 'standard', privileged: 'privileged' }

export default command({
  summary: 'Say what programs on a sprite may do.',
  description: 'What is not given is left to the service.',
  examples: ['<%= config.bin %> <%= command.id %> --profile standard', '<%= config.bin %> <%= command.id %> --device /dev/fuse --no-new-privileges'],
  flags: {
    ...spriteFlags,
    profile: { type: 'option', summary: 'minimal, standard or privileged.', helpValue: 'PROFILE' },
    device: { type: 'option', summary: 'A device that they may use. May be given more than once.', helpValue: 'PATH', multiple: true },
    'no-new-privileges': { type: 'boolean', summary: 'Programs get no more than they have: sudo fails.' },
  },
  async execute(call) {
    const profile = option(call, 'profile')
    const devices = options(call, 'device')
    const fixed = call.flags['no-new-privileges'] === true
    const known = profiles[profile ?? '']
    if (profile !== undefined && known === undefined) throw fail('invalid_argument', `${JSON.stringify(profile)} is no profile`, { source: 'amux', hint: `There are ${Object.keys(profiles).join(', ')}.` })
    if (known === undefined && devices.length === 0 && !fixed) throw fail('invalid_argument', 'nothing was said', { source: 'amux', hint: "To have the service's own: amux sprites policy privileges reset" })
    await setPolicy(call, 'privileges', { ...(known && { profile: known }), ...(devices.length > 0 && { devices }), ...(fixed && { noNewPrivileges: true }) })
  },
})
