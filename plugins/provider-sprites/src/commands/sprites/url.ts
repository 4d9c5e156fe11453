import { option, onSprite, spriteFlags } from '../../chosen.ts'
import { command } from '../../../../shared/command.ts'
import type { SpriteDocument } from '../../document.ts'
import { fail } from '../../errors.ts'

const who: Readonly<Record<string, string>> = { public: 'Everybody who knows it gets in.', sprite: 'Only members of the organization get in.' }

export default command({
  summary: "Show a sprite's URL and who gets in, or change that.",
  description: 'It leads to the service with an HTTP port, else to port 8080, and wakes the sprite. Programs get into a private one with the token: Authorization: Bearer TOKEN.',
  examples: ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --auth public'],
  flags: { ...spriteFlags, auth: { type: 'option', char: 'a', summary: 'Who gets in: public (everybody), sprite (members of the organization).', helpValue: 'WHO' } },
  execute: (call) =>
    onSprite(call, async ({ name, client, path }) => {
      const wanted = option(call, 'auth')
      if (wanted !== undefined && !Object.hasOwn(who, wanted)) throw fail('invalid_argument', `${JSON.stringify(wanted)} says not who gets in`, { source: 'amux', hint: 'Write public or sprite.' })
      const change = { body: { url_settings: { auth: wanted } }, signal: call.signal }
      const { url, url_settings } = await (wanted === undefined ? client.json<SpriteDocument>('GET', path(), { signal: call.signal }) : client.json<SpriteDocument>('PUT', path(), change))
      if (url === undefined || url === '') throw fail('unsupported', `the service gives ${name} no URL`, { computer: name })
      // A word that is newer than this amux is shown as it is.
      const auth = url_settings?.auth ?? 'sprite'
      call.data({ computer: name, url, auth }, () => url)
      call.note(who[auth] ?? `Who gets in: ${auth}.`)
    }),
})
