import { onSprite, spriteFlags } from '../../chosen.ts'
import { command } from '../../../../shared/command.ts'

const ANSWER_MS = 60_000

interface Restarted {
  readonly machine_id?: string
  readonly message?: string
}

export default command({
  summary: "Restart a sprite's machine.",
  description: 'Every program on it ends; services start again. Its disk stays.',
  examples: ['<%= config.bin %> <%= command.id %>'],
  flags: spriteFlags,
  execute: (call) =>
    onSprite(call, async ({ name, computer, client, path }) => {
      await call.confirm(`Every program on ${name} ends. Restart it?`)
      call.progress(`Restarting ${name}`)
      const { machine_id, message } = await client.json<Restarted>('POST', path('restart'), { signal: call.signal, timeout: ANSWER_MS })
      await computer.start({ signal: call.signal })
      call.data({ computer: name, machine: machine_id, message }, () => `${name} runs again`)
    }),
})
