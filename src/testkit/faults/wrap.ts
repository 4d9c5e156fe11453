import { setTimeout as sleep } from 'node:timers/promises'
import type { ByteSink, ByteSource, ByteStream, Channel, Computer, Process, Provider, SpawnOptions } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { deferred } from '../../util/deferred.ts'
import { streamOf } from '../../util/streams.ts'
import type { Faults } from './faults.ts'

/** The same provider, whose calls and connections can be made to fail. */
export function faultyProvider(provider: Provider, faults: Faults): Provider {
  return {
    async create(options) {
      await faults.meet('create')
      return faultyComputer(await provider.create(options), faults)
    },
    async get(name, options) {
      await faults.meet('get')
      return faultyComputer(await provider.get(name, options), faults)
    },
    async *list(options) {
      await faults.meet('list')
      yield* provider.list(options)
    },
    async health(options) {
      await faults.meet('health')
      return provider.health(options)
    },
  }
}

export function faultyComputer(computer: Computer, faults: Faults): Computer {
  const wrapped: Partial<Record<keyof Computer, unknown>> = {
    info: met('info', () => computer.info()),
    start: met('start', (options?: Parameters<Computer['start']>[0]) => computer.start(options)),
    stop: met('stop', (options?: Parameters<Computer['stop']>[0]) => computer.stop(options)),
    delete: met('delete', (options?: Parameters<Computer['delete']>[0]) => computer.delete(options)),
    spawn: met('spawn', async (argv: readonly string[], options?: SpawnOptions) => faultyProcess(await computer.spawn(argv, options), faults)),
    ...(computer.channel && {
      channel: met('channel', async (options?: { readonly signal?: AbortSignal }) => faultyStream(await asStream(await computer.channel?.(options)), faults)),
    }),
  }
  return new Proxy(computer, { get: (target, key) => (key in wrapped ? Reflect.get(wrapped, key) : Reflect.get(target, key, target)) })

  function met<A extends readonly unknown[], R>(method: Parameters<Faults['meet']>[0], call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      await faults.meet(method)
      return call(...args)
    }
  }
}

/** A stream that breaks, waits, lies and falls silent as ordered. */
export function faultyStream(stream: ByteStream, faults: Faults): ByteStream {
  const broken = deferred<never>()
  broken.promise.catch(() => {})
  const close = () => {
    done()
    faults.cuts += 1
    broken.reject(fail('connection_lost', 'the connection was cut on purpose', { source: 'transport' }))
    stream.close()
  }
  const done = faults.opened(close)
  return {
    source: faultySource(stream.source, faults, broken.promise, close),
    sink: faultySink(stream.sink, faults, broken.promise),
    close() {
      done()
      stream.close()
    },
  }
}

/** Cutting it kills what carries it, as when a bridge dies. */
function faultyProcess(process: Process, faults: Faults): Process {
  const close = () => void process.kill('SIGKILL').catch(() => {})
  const { source, sink } = faultyStream({ source: process.stdout, sink: process.stdin, close }, faults)
  return {
    stdin: sink,
    stdout: source,
    stderr: process.stderr,
    exit: process.exit,
    kill: (signal) => process.kill(signal),
    resize: (size) => process.resize(size),
  }
}

async function* faultySource(source: ByteSource, faults: Faults, broken: Promise<never>, close: () => void): AsyncGenerator<Uint8Array, void> {
  let passed = 0
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), broken])
      if (faults.delay > 0) await sleep(faults.delay)
      while (faults.silent) await Promise.race([faults.bell.heard(), broken])
      if (next.done === true) return
      const { garbage } = faults
      faults.garbage = undefined
      if (garbage !== undefined) yield garbage
      const left = faults.cutAfter - passed
      passed += next.value.length
      yield next.value.length > left ? next.value.subarray(0, left) : next.value
      if (passed > faults.cutAfter) {
        close()
        await broken
      }
    }
  } finally {
    await iterator.return?.()
  }
}

function faultySink(sink: ByteSink, faults: Faults, broken: Promise<never>): ByteSink {
  return {
    async write(chunk) {
      if (faults.delay > 0) await sleep(faults.delay)
      if (!faults.silent) await Promise.race([sink.write(chunk), broken])
    },
    end: () => Promise.race([sink.end(), broken]),
  }
}

async function asStream(channel: Channel | undefined): Promise<ByteStream> {
  if (channel === undefined) throw fail('internal', 'the channel went away')
  if (!('unix' in channel)) return channel
  const { connect } = await import('node:net')
  const socket = connect(channel.unix)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return streamOf(socket)
}
