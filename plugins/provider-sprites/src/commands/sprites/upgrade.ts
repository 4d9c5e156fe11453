import { onSprite, spriteFlags } from '../../chosen.ts'
import { command } from '../../../../shared/command.ts'
import type { SpriteDocument } from '../../document.ts'

const ANSWER_MS = 300_000

export default command({
  summary: 'Move a sprite to the newest runtime.',
  description: 'Its disk stays. Its programs may end.',
  examples: ['<%= config.bin %> <%= command.id %>'],
  flags: spriteFlags,
  execute: (call) =>
    onSprite(call, async ({ name, computer, client, path }) => {
      const versionOf = async () => (await client.json<SpriteDocument>('GET', path(), { signal: call.signal })).version
      const before = await versionOf()
      await call.confirm(`Programs on ${name} may end. Upgrade it?`)
      call.progress(`Upgrading ${name}`)
      await client.json('POST', path('upgrade'), { signal: call.signal, timeout: ANSWER_MS })
      await computer.start({ signal: call.signal })
      const version = await versionOf()
      call.data({ computer: name, before, version }, () => (version === undefined ? `${name} was upgraded` : `${name} has ${version}${before === version ? ', as before' : ''}`))
    }),
})
