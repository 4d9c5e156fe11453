import { command } from '../../../../../shared/command.ts'
import { stop } from '../../../server/process/background.ts'

export default command({
  summary: 'End the server. Computers and their programs go on.',
  examples: ['<%= config.bin %> <%= command.id %>'],
  async execute(call) {
    const stopped = await stop(await call.dataDir('local'))
    call.data({ stopped }, () => (stopped ? 'Stopped.' : 'No server runs.'))
  },
})
