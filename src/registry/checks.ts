import type { ComputerInfo, Health, Provider } from '../contract/index.ts'
import { fail } from '../errors/index.ts'

const states: ReadonlySet<unknown> = new Set(['running', 'stopped', 'starting', 'stopping', 'hibernating', 'broken'])

/** What a provider says about a computer, or an error when that is not an answer. */
export function checkInfo(value: unknown): ComputerInfo {
  if (!(value instanceof Object)) throw garbage('info', 'no object')
  const { name, state, createdAt, labels } = value as Partial<Record<keyof ComputerInfo, unknown>>
  if (typeof name !== 'string' || name === '') throw garbage('info', 'no name')
  if (!states.has(state)) throw garbage('info', `state ${JSON.stringify(state)}`)
  if (typeof createdAt !== 'string' || Number.isNaN(Date.parse(createdAt))) throw garbage('info', `createdAt ${JSON.stringify(createdAt)}`)
  if (!(labels instanceof Object)) throw garbage('info', 'no labels')
  return value as ComputerInfo
}

const methods = ['create', 'get', 'list', 'health'] as const

export function checkProvider(value: unknown, id: string): Provider {
  if (!(value instanceof Object)) throw fail('provider_broken', `provider ${id} gave no provider when it was connected`, { provider: id })
  const absent = methods.filter((name) => typeof Reflect.get(value, name) !== 'function')
  if (absent.length > 0) throw fail('provider_broken', `provider ${id} lacks ${absent.join(', ')}`, { hint: 'Update its plugin, or tell its author.', provider: id })
  return value as Provider
}

export function checkHealth(value: unknown): Health {
  const sound = value instanceof Object && 'ok' in value && typeof value.ok === 'boolean' && 'message' in value && typeof value.message === 'string'
  if (!sound) throw garbage('health', 'no {ok, message}')
  return value as unknown as Health
}

export function checkComputer<T extends object>(value: T | undefined, asked: string): T {
  const named = value instanceof Object && 'name' in value && value.name === asked
  if (!named) throw garbage('a computer', `not the one named ${asked}`)
  return value
}

function garbage(what: string, found: string): Error {
  return fail('corrupt', `the provider answered garbage for ${what}: ${found}`, { hint: 'Update its plugin, or tell its author.', source: 'provider' })
}
