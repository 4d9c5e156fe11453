import { command } from '../../../../shared/command.ts'
import { startDetached } from '../../server/process/background.ts'
import { serve } from '../../server/process/foreground.ts'
import { documentOf, guidance, warn } from '../../server/process/guidance.ts'
import { passedOn, serveFlags } from '../../server/process/serve-flags.ts'

export default command({
  summary: "Offer this machine's computers over the Sprites API.",
  description: `Clients made for Sprites (Fly's SDKs, and amux itself on another machine) make and use local computers through it. Every request needs the token of the token file. Ctrl-C ends it; computers and their programs go on.

There is one server at a time. --detach leaves it in the background, as amux local server start does.`,
  examples: ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --listen 0.0.0.0:4280 --tls-cert cert.pem --tls-key key.pem'],
  flags: {
    ...serveFlags,
    detach: { type: 'boolean', char: 'd', summary: 'Leave it in the background once it answers.' },
    log: { type: 'option', summary: 'Write what happens to this file instead of standard error. It is kept below 10 MiB.', helpValue: 'FILE' },
  },
  async execute(call) {
    if (call.flags['detach'] === true) {
      const record = await startDetached(call, passedOn(call.flags))
      warn(call, record)
      return call.data(documentOf(record), () => guidance(record))
    }
    await serve(call, (record) => {
      warn(call, record)
      call.event({ type: 'listening', ...documentOf(record) }, guidance(record))
    })
  },
})
