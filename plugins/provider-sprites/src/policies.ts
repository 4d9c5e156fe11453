import type { CommandCall } from '../../../src/contract/index.ts'
import { type Chosen, onSprite, spriteFlags } from './chosen.ts'
import { command } from '../../shared/command.ts'

/** What programs on a sprite may do. The casing is the service's. */
export interface Privileges {
  readonly profile?: 'minimal' | 'standard' | 'privileged'
  readonly devices?: readonly string[]
  readonly noNewPrivileges?: boolean
}

export interface Resources {
  readonly memory?: { readonly limit_mb: number; readonly autoscale?: boolean }
}

export type Kind = 'privileges' | 'resources'

const titles = { privileges: 'what programs on a sprite may do', resources: 'how much memory a sprite may have' } as const

export function getCommand(kind: Kind) {
  return command({
    summary: `Show ${titles[kind]}.`,
    examples: ['<%= config.bin %> <%= command.id %>'],
    flags: spriteFlags,
    execute: (call) => onSprite(call, (sprite) => show(call, sprite, kind)),
  })
}

export function resetCommand(kind: Kind) {
  return command({
    summary: `Leave ${titles[kind]} to the service.`,
    examples: ['<%= config.bin %> <%= command.id %>'],
    flags: spriteFlags,
    execute: (call) =>
      onSprite(call, async (sprite) => {
        await sprite.client.json('DELETE', sprite.path('policy', kind), { signal: call.signal })
        await show(call, sprite, kind)
      }),
  })
}

/** Replaces the whole document, and shows what the service made of it. */
export function setPolicy(call: CommandCall, kind: 'privileges', document: Privileges): Promise<void>
export function setPolicy(call: CommandCall, kind: 'resources', document: Resources): Promise<void>
export function setPolicy(call: CommandCall, kind: Kind, document: object): Promise<void> {
  return onSprite(call, async (sprite) => {
    // The same again is the same.
    await sprite.client.json('POST', sprite.path('policy', kind), { body: document, signal: call.signal, again: true })
    await show(call, sprite, kind)
  })
}

async function show(call: CommandCall, { name, client, path }: Chosen, kind: Kind): Promise<void> {
  const document = await client.json<Readonly<Record<string, unknown>>>('GET', path('policy', kind), { signal: call.signal })
  const lines = Object.entries(document).filter(([, value]) => value !== '' && value !== null && value !== undefined)
  call.data({ computer: name, ...document }, () => lines.map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join('\n') || `${name} has the service's own ${kind}`)
}
