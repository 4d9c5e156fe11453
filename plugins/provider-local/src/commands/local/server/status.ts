import { command } from '../../../../../shared/command.ts'
import { documentOf } from '../../../server/process/guidance.ts'
import { running } from '../../../server/process/single.ts'

/** As for anything that is not there. */
const NONE = 3

export default command({
  summary: 'Say whether the server runs, and where.',
  description: 'The exit status is 0 when it runs, and 3 when it does not.',
  examples: ['<%= config.bin %> <%= command.id %>'],
  async execute(call) {
    const record = await running(await call.dataDir('local'))
    if (record) call.data({ running: true, ...documentOf(record) }, () => `Runs at ${record.url} since ${record.startedAt} (process ${record.pid}). Its token is in ${record.tokenFile}.`)
    else call.data({ running: false }, () => 'No server runs.')
    return record ? 0 : NONE
  },
})
