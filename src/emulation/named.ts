import { type ErrorDetails, normalise } from '../errors/index.ts'

/** The same computer, or part of one, whose failures are normalised and say where they happened. */
export function named<T extends object>(target: T, details: ErrorDetails): T {
  const members = new Map<PropertyKey, unknown>()
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (!(value instanceof Object)) return value
      if (!members.has(key)) members.set(key, typeof value === 'function' ? explained(target, value, details) : named(value, details))
      return members.get(key)
    },
  })
}

function explained(target: object, method: object, details: ErrorDetails): unknown {
  return (...args: readonly unknown[]) => {
    try {
      // `method` is a function: its caller looked.
      const result: unknown = Reflect.apply(method as () => unknown, target, args)
      if (result instanceof Promise) return result.catch((error: unknown) => rethrow(error, details))
      return isIterable(result) ? iterate(result, details) : result
    } catch (error) {
      return rethrow(error, details)
    }
  }
}

async function* iterate(source: AsyncIterable<unknown>, details: ErrorDetails): AsyncGenerator<unknown, void> {
  try {
    yield* source
  } catch (error) {
    rethrow(error, details)
  }
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return value instanceof Object && Symbol.asyncIterator in value
}

function rethrow(error: unknown, details: ErrorDetails): never {
  throw normalise(error, details)
}
