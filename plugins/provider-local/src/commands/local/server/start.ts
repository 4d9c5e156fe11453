import { command } from '../../../../../shared/command.ts'
import { startDetached } from '../../../server/process/background.ts'
import { documentOf, guidance, warn } from '../../../server/process/guidance.ts'
import { passedOn, serveFlags } from '../../../server/process/serve-flags.ts'

export default command({
  summary: 'Start the server in the background.',
  description: 'It runs until amux local server stop, or until this machine ends. There is one for each user: a second start says where the first one is.',
  examples: ['<%= config.bin %> <%= command.id %>'],
  flags: serveFlags,
  async execute(call) {
    const record = await startDetached(call, passedOn(call.flags))
    warn(call, record)
    call.data(documentOf(record), () => guidance(record))
  },
})
