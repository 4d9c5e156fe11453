import { fail, normalise, type ErrorDetails } from '../errors/index.ts'
import { formatDuration } from '../util/duration.ts'

export interface GuardOptions {
  readonly details: ErrorDetails
  /** Aborts what is waited for. */
  readonly signal?: AbortSignal | undefined
  /** Methods that answer soon or not at all, in milliseconds. */
  readonly limits?: Readonly<Record<string, number>>
}

/**
 * The same object, whose failures are all ours and named: a method that throws, rejects, answers never, or gives an
 * iterable that fails. Members that are objects are guarded like it.
 */
export function guard<T extends object>(target: T, options: GuardOptions): T {
  const known = new Map<unknown, unknown>()
  return new Proxy(target, {
    get(_, name) {
      // Private fields need the real `this`.
      const value: unknown = Reflect.get(target, name, target)
      if (!(value instanceof Object) || name === 'constructor') return value
      const guarded = known.get(value) ?? (typeof value === 'function' ? method(target, String(name), value, options) : member(value, options))
      known.set(value, guarded)
      return guarded
    },
  })
}

function member(value: object, options: GuardOptions): unknown {
  return value instanceof Promise ? settle(value, 'exit', options) : guard(value, options)
}

function method(target: object, name: string, value: Function, options: GuardOptions): unknown {
  return (...args: unknown[]): unknown => {
    const result: unknown = run(() => Reflect.apply(value, target, args), options)
    if (isThenable(result)) return settle(result, name, options)
    return isIterable(result) ? iterate(result, name, options) : result
  }
}

function run<R>(work: () => R, { details }: GuardOptions): R {
  try {
    return work()
  } catch (error) {
    throw normalise(error, details)
  }
}

async function settle(pending: PromiseLike<unknown>, name: string, options: GuardOptions): Promise<unknown> {
  const { details, signal, limits } = options
  const limit = limits && Object.hasOwn(limits, name) ? limits[name] : undefined
  try {
    return await (limit === undefined ? pending : within(pending, name, limit, signal))
  } catch (error) {
    throw normalise(error, details)
  }
}

/** What answers too late is left to itself. */
async function within(pending: PromiseLike<unknown>, name: string, limit: number, signal: AbortSignal | undefined): Promise<unknown> {
  const ended = new AbortController()
  const stop = new Promise<never>((_, reject) => {
    const late = () => reject(fail('unavailable', `no answer to "${name}" within ${formatDuration(limit)}`))
    const timer = setTimeout(late, limit)
    ended.signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: ended.signal })
    if (signal?.aborted) reject(signal.reason)
  })
  try {
    return await Promise.race([pending, stop])
  } finally {
    ended.abort()
  }
}

async function* iterate(source: AsyncIterable<unknown>, name: string, options: GuardOptions): AsyncGenerator<unknown> {
  const iterator = source[Symbol.asyncIterator]()
  // One that does not answer does not answer to this either.
  let answers = true
  try {
    for (;;) {
      answers = false
      const step = (await settle(iterator.next(), `${name}.next`, options)) as IteratorResult<unknown>
      if (step.done) return
      answers = true
      yield step.value
    }
  } finally {
    if (answers) await iterator.return?.()
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value instanceof Object && 'then' in value && typeof value.then === 'function'
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return value instanceof Object && Symbol.asyncIterator in value
}
