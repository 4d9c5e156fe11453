import { expect } from 'chai'
import { describe, it } from 'mocha'
import { guard } from '../../src/registry/guard.ts'
import { fail, isAmuxError } from '../../src/errors/index.ts'

const details = { provider: 'cloud', source: 'provider' } as const

async function failure(work: () => unknown): Promise<Record<string, unknown>> {
  try {
    await work()
  } catch (error) {
    if (isAmuxError(error)) return { ...error, message: error.message }
    throw error
  }
  throw new Error('it did not fail')
}

class Foreign {
  readonly #secret = 'kept'
  readonly inner = { explode: () => Promise.reject(new Error('inner')) }
  readonly missing = undefined
  closed = 0
  secret(): string {
    return this.#secret
  }
  throws(): never {
    throw Object.assign(new Error('at once'), { code: 'ECONNREFUSED' })
  }
  async rejects(): Promise<never> {
    throw fail('rate_limited', 'slow down', { retryAfter: 3 })
  }
  never(): Promise<never> {
    return new Promise(() => undefined)
  }
  async *some(): AsyncGenerator<number> {
    try {
      yield 1
      yield 2
    } finally {
      this.closed++
    }
  }
  async *broken(): AsyncGenerator<number> {
    yield 1
    throw new Error('half-way')
  }
  async *stuck(): AsyncGenerator<number> {
    yield 1
    await this.never()
  }
}

describe('A guarded provider', () => {
  const foreign = new Foreign()
  const limits = { never: 30, 'stuck.next': 30 }
  const guarded = guard(foreign, { details, limits })

  it('is the same object to its own methods', () => {
    expect(guarded.secret()).to.equal('kept')
    expect(guarded.missing).to.equal(undefined)
    expect(guarded.secret).to.equal(guarded.secret)
  })

  it('fails in amux\'s words, named, however it fails', async () => {
    expect(await failure(() => guarded.throws())).to.include({ ...details, code: 'unavailable', message: 'at once' })
    expect(await failure(() => guarded.rejects())).to.include({ ...details, code: 'rate_limited', retryAfter: 3 })
    expect(await failure(() => guarded.inner.explode())).to.include({ ...details, code: 'failed', message: 'inner' })
  })

  it('fails when it does not answer', async () => {
    expect(await failure(() => guarded.never())).to.include({ ...details, code: 'unavailable' })
  })

  it('is left alone when the caller gives up', async () => {
    const stop = new AbortController()
    const waiting = failure(() => guard(foreign, { details, limits: { never: 60_000 }, signal: stop.signal }).never())
    stop.abort(fail('aborted', 'interrupted'))
    expect(await waiting).to.include({ code: 'aborted', message: 'interrupted' })
  })

  it('gives iterables whose failures are named, and closes them when the reader leaves', async () => {
    const seen: number[] = []
    const read = async (source: AsyncIterable<number>) => {
      for await (const value of source) seen.push(value)
    }
    expect(await failure(() => read(guarded.broken()))).to.include({ ...details, message: 'half-way' })
    expect(await failure(() => read(guarded.stuck()))).to.include({ ...details, code: 'unavailable' })
    expect(seen).to.deep.equal([1, 1])
    for await (const value of guarded.some()) if (value === 1) break
    expect(foreign.closed).to.equal(1)
  })
})
