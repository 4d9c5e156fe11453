import type { Capability, DeclaredCapabilities, ProviderDescriptor } from '../contract/index.ts'
import { fail } from '../errors/index.ts'

export const API_VERSION = 1
const ID = /^[a-z][a-z0-9-]{0,30}$/
const fidelities: ReadonlySet<unknown> = new Set(['native', 'emulated', 'unavailable'])

/** What a stranger's hook returned, as a descriptor, or an error that says what is wrong with it. */
export function checkDescriptor(value: unknown): ProviderDescriptor {
  if (!isTable(value)) throw wrong('its hook returned no provider descriptor')
  checkVersion(value['apiVersion'])
  const { id, title, settings, createOptions, capabilities, connect } = value
  if (typeof id !== 'string' || !ID.test(id)) throw wrong(`its provider id ${JSON.stringify(id)} is not of the form [a-z][a-z0-9-]*`)
  if (typeof title !== 'string' || title === '') throw wrong(`provider ${id} has no title`)
  if (typeof connect !== 'function') throw wrong(`provider ${id} has no function connect`)
  if (!isListOf(settings ?? [], isSetting)) throw wrong(`provider ${id} has malformed settings`)
  if (!isListOf(createOptions ?? [], isCreateOption)) throw wrong(`provider ${id} has malformed createOptions`)
  checkCapabilities(id, capabilities)
  // Every field was looked at above; a class with `connect` on its prototype is as good as a plain object.
  return value as unknown as ProviderDescriptor
}

function checkVersion(version: unknown): void {
  if (version === API_VERSION) return
  const newer = typeof version === 'number' && version > API_VERSION
  throw fail('provider_broken', `it speaks provider API ${JSON.stringify(version)}; this amux speaks ${API_VERSION}`, {
    hint: newer ? 'Update amux.' : 'Update the plugin: amux plugins update',
  })
}

function checkCapabilities(id: string, value: unknown): asserts value is DeclaredCapabilities {
  if (!isTable(value)) throw wrong(`provider ${id} declares no capabilities`)
  for (const [name, capability] of Object.entries(value)) {
    if (!isCapability(capability)) throw wrong(`provider ${id} declares "${name}" malformed: a fidelity, and a note unless native`)
  }
}

function isCapability(value: unknown): value is Capability {
  if (!isTable(value) || !fidelities.has(value['fidelity'])) return false
  return value['fidelity'] === 'native' || typeof value['note'] === 'string'
}

function isSetting(value: unknown): boolean {
  return isTable(value) && typeof value['key'] === 'string' && typeof value['summary'] === 'string' && isListOf(value['env'] ?? [], isText)
}

function isCreateOption(value: unknown): boolean {
  return isTable(value) && typeof value['name'] === 'string' && ['string', 'boolean', 'number'].includes(String(value['type']))
}

function isListOf(value: unknown, one: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => one(item))
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isTable(value: unknown): value is Record<string, unknown> {
  return value instanceof Object && !Array.isArray(value)
}

function wrong(what: string): Error {
  return fail('provider_broken', what, { hint: 'Tell its author.' })
}
