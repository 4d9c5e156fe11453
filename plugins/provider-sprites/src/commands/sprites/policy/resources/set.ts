import { option, spriteFlags } from '../../../../chosen.ts'
import { command } from '../../../../../../shared/command.ts'
import { fail } from '../../../../errors.ts'
import { setPolicy } from '../../../../policies.ts'

export default command({
  summary: 'Say how much memory a sprite may have.',
  examples: ['<%= config.bin %> <%= command.id %> --memory 8GB', '<%= config.bin %> <%= command.id %> --memory 4096MB --autoscale'],
  flags: {
    ...spriteFlags,
    memory: { type: 'option', summary: 'The limit: 512MB, 8GB. 1 GB are 1024 MB.', helpValue: 'SIZE', required: true },
    autoscale: { type: 'boolean', summary: 'The service may give it more.' },
  },
  async execute(call) {
    const limit_mb = megabytes(option(call, 'memory') ?? '')
    await setPolicy(call, 'resources', { memory: { limit_mb, ...(call.flags['autoscale'] === true && { autoscale: true }) } })
  },
})

function megabytes(text: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,6})\s*(mb?|gb?)$/i.exec(text) ?? []
  if (count !== '') return Number(count) * (/^g/i.test(unit) ? 1024 : 1)
  throw fail('invalid_argument', `${JSON.stringify(text)} is no size`, { source: 'amux', hint: 'Write it like 512MB or 8GB.' })
}
