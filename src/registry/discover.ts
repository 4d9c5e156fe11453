import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { AmuxError, ProviderDescriptor } from '../contract/index.ts'
import { fail, isAmuxError, normalise } from '../errors/index.ts'
import { formatDuration } from '../util/duration.ts'
import { type HookRef, type PluginRef, remedy } from './installed.ts'
import { checkDescriptor } from './validate.ts'

export interface FoundProvider {
  readonly descriptor: ProviderDescriptor
  readonly plugin: PluginRef
}

export interface BrokenPlugin {
  readonly plugin: PluginRef
  readonly error: AmuxError
}

export interface Discovery {
  /** By id. */
  readonly providers: readonly FoundProvider[]
  /** By plugin. */
  readonly broken: readonly BrokenPlugin[]
}

export interface DiscoverOptions {
  /** Each plugin's time to load and answer. */
  readonly limit?: number
  /** Only this provider matters: the others get little time once it has been found. */
  readonly wanted?: string | undefined
}

const LIMIT = 3000
const LITTLE = 200

type Answer = { readonly plugin: PluginRef; readonly descriptors: readonly unknown[] } | BrokenPlugin

/**
 * Asks every plugin what it registers. oclif's own `runHook` limits the time of a hook but not of loading it, and waits
 * for the slowest: here each plugin is on its own, and a bad one is a finding, never a failure.
 */
export async function discover(plugins: readonly PluginRef[], options: DiscoverOptions = {}): Promise<Discovery> {
  const answers = new Map<PluginRef, Answer>()
  const asked = plugins.map(async (plugin) => {
    const answer = await ask(plugin, options.limit ?? LIMIT)
    answers.set(plugin, answer)
    return answer
  })
  const all = Promise.all(asked)
  await (options.wanted === undefined ? all : Promise.race([all, found(asked, options.wanted).catch(() => all)]))
  return settle(plugins.flatMap((plugin) => answers.get(plugin) ?? []))
}

/** Resolves a little after one claimed the wanted id, so that an earlier one's claim is seen; rejects when none does. */
async function found(asked: readonly Promise<Answer>[], wanted: string): Promise<void> {
  await Promise.any(
    asked.map(async (pending) => {
      const { providers } = settle([await pending])
      if (!providers.some(({ descriptor }) => descriptor.id === wanted)) throw new Error('another')
    }),
  )
  await delay(LITTLE)
}

async function ask(plugin: PluginRef, limit: number): Promise<Answer> {
  if (plugin.problem) return { plugin, error: plugin.problem }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(fail('provider_broken', `it did not register within ${formatDuration(limit)}`)), limit)
  })
  try {
    const answers = await Promise.race([Promise.all(plugin.hooks.map(call)), late])
    return { plugin, descriptors: answers.flat() }
  } catch (error) {
    return { plugin, error: broken(plugin, error) }
  } finally {
    clearTimeout(timer)
  }
}

async function call(hook: HookRef): Promise<unknown> {
  const module = (await import(pathToFileURL(hook.file).href)) as Record<string, unknown>
  const named = module[hook.identifier]
  const run = typeof named === 'function' || hook.identifier !== 'default' ? named : Object.values(module).find((value) => typeof value === 'function')
  if (typeof run !== 'function') throw fail('provider_broken', `its hook has no function "${hook.identifier}"`)
  return (run as () => unknown)()
}

/** Checks what came back and gives each id to the first that claims it: amux's own, then by plugin name. */
function settle(answers: readonly Answer[]): Discovery {
  const providers = new Map<string, FoundProvider>()
  const bad: BrokenPlugin[] = []
  for (const answer of answers) {
    if ('error' in answer) bad.push(answer)
    else for (const value of answer.descriptors) accept(answer.plugin, value, providers, bad)
  }
  return { providers: [...providers.values()].toSorted((a, b) => (a.descriptor.id < b.descriptor.id ? -1 : 1)), broken: bad }
}

function accept(plugin: PluginRef, value: unknown, providers: Map<string, FoundProvider>, bad: BrokenPlugin[]): void {
  try {
    const descriptor = checkDescriptor(value)
    const holder = providers.get(descriptor.id)
    if (holder) throw fail('provider_broken', `provider id "${descriptor.id}" is already taken by ${holder.plugin.name}`)
    providers.set(descriptor.id, { descriptor, plugin })
  } catch (error) {
    bad.push({ plugin, error: broken(plugin, error) })
  }
}

function broken(plugin: PluginRef, cause: unknown): AmuxError {
  const { message, hint } = normalise(cause)
  const told = isAmuxError(cause) && cause.code === 'provider_broken' ? message : `it failed to load: ${message.replace(/ imported from .*/, '')}`
  return fail('provider_broken', `plugin ${plugin.name}: ${told}`, { hint: hint ?? remedy(plugin), cause })
}
