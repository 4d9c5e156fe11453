import type { CommandCall, CommandFlag, EquippedComputer } from '../../../src/contract/index.ts'
import { Client, spritePath } from './service/client.ts'
import { DEFAULT_URL } from './provider.ts'

/** Which sprite a command is about. */
export const spriteFlags: Readonly<Record<string, CommandFlag>> = {
  computer: { type: 'option', char: 'c', summary: "Name of a computer. Default: this project's on Sprites.", helpValue: 'NAME' },
}

/** The sprite that a command is about, and the API behind it. */
export interface Chosen {
  readonly name: string
  readonly computer: EquippedComputer
  readonly client: Client
  /** Of the API, below this sprite. */
  path(...words: readonly string[]): string
}

/** Its connection lasts as long as the work. */
export async function onSprite<T>(call: CommandCall, work: (sprite: Chosen) => Promise<T>): Promise<T> {
  const computer = await call.computer({ computer: option(call, 'computer'), provider: 'sprites' })
  const { name } = computer
  return onApi(call, (client) => work({ name, computer, client, path: (...words) => spritePath(name, ...words) }))
}

/** The API alone. */
export async function onApi<T>(call: CommandCall, work: (client: Client) => Promise<T>): Promise<T> {
  const { url, token = '' } = await call.settings('sprites')
  const client = new Client({ url: url || DEFAULT_URL, token, debug: () => {} })
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

export function option(call: CommandCall, name: string): string | undefined {
  const value = call.flags[name]
  return typeof value === 'string' ? value : undefined
}

export function options(call: CommandCall, name: string): readonly string[] {
  const value = call.flags[name]
  return Array.isArray(value) ? value.map(String) : []
}
