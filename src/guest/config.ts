import { readFile } from 'node:fs/promises'
import type { GuestConfig } from '../protocol/index.ts'

/** The configuration is amux's own file, so this finds a damaged one, not every possible lie. */
export async function readConfig(file: string): Promise<GuestConfig> {
  const value: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (!isConfig(value)) throw new Error(`${file} is no guest configuration`)
  return value
}

function isConfig(value: unknown): value is GuestConfig {
  if (!(value instanceof Object) || !('user' in value) || !(value.user instanceof Object)) return false
  const { user } = value
  const texts = ['store', 'run', 'version'].every((key) => typeof Reflect.get(value, key) === 'string')
  const numbers = ['uid', 'gid'].every((key) => typeof Reflect.get(user, key) === 'number')
  const lists = 'env' in value && value.env instanceof Object && 'path' in value && Array.isArray(value.path)
  return texts && numbers && lists && typeof Reflect.get(user, 'name') === 'string' && typeof Reflect.get(user, 'home') === 'string'
}
