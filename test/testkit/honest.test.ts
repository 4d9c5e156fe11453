import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { Computer, Provider, ProviderDescriptor, SpawnOptions } from '../../src/contract/index.ts'
import { conformance, processProvider } from '../../src/testkit/index.ts'

type Change = (provider: Provider) => Provider

/** Collects the suite instead of running it. */
function suite(change: Change, more: Partial<ProviderDescriptor> = {}): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>()
  const descriptor: ProviderDescriptor = { ...processProvider, ...more, connect: async (context) => change(await processProvider.connect(context)) }
  conformance({ test: (name, body) => tests.set(name, body) }, { descriptor })
  return tests
}

/** Every computer it gives, changed. */
function computers(change: (computer: Computer) => Partial<Computer>): Change {
  const changed = (computer: Computer): Computer => {
    const own = change(computer)
    return new Proxy(computer, { get: (target, key) => Reflect.get(own, key) ?? bound(target, key) })
  }
  return (provider) => ({
    create: async (options) => changed(await provider.create(options)),
    get: async (name, options) => changed(await provider.get(name, options)),
    list: (options) => provider.list(options),
    health: (options) => provider.health(options),
  })
}

function bound(target: object, key: PropertyKey): unknown {
  const value: unknown = Reflect.get(target, key)
  return typeof value === 'function' ? value.bind(target) : value
}

function spawning(change: (argv: readonly string[], options: SpawnOptions) => readonly [readonly string[], SpawnOptions]): Change {
  return computers((computer) => ({ spawn: (argv, options = {}) => computer.spawn(...change(argv, options)) }))
}

function dropping(option: keyof SpawnOptions): Change {
  return spawning((argv, options) => [argv, Object.fromEntries(Object.entries(options).filter(([key]) => key !== option))])
}

/** Sessions of its own make the core leave `spawn` to the provider. */
const ownSessions = { sessions: { list: async () => [] } } as unknown as Partial<Computer>

describe('the conformance suite finds', () => {
  const finds = (what: string, name: string, change: Change, more?: Partial<ProviderDescriptor>) => {
    describe(what, () => {
      let tests: Map<string, () => Promise<void>>
      before(() => (tests = suite(change, more)))
      after(() => tests.get('afterwards: nothing is left')?.().catch(() => {}))
      it(`by "${name}"`, async () => {
        const body = tests.get(name)
        if (body === undefined) throw new Error(`the suite has no test ${name}`)
        const failure = await body().then(() => undefined, (error: unknown) => error)
        expect(failure, 'it passed').to.be.instanceOf(Error)
      })
    })
  }
  const raw = (change: Change): Change => (provider) => computers(() => ownSessions)(change(provider))

  finds('an argv joined to a line', 'spawn: argv arrives exactly', raw(spawning((argv, options) => [['sh', '-c', argv.join(' ')], options])))
  finds('a cwd that is dropped', 'spawn: cwd is absolute, or relative to home', raw(dropping('cwd')))
  finds('an env that is dropped', 'spawn: env is merged over the computer\'s own', raw(dropping('env')))
  finds('an env that replaces', 'spawn: env is merged over the computer\'s own', raw(spawning((argv, options) => [['env', '-i', ...Object.entries(options.env ?? {}).map(([key, value]) => `${key}=${value}`), ...argv], options])))
  finds('a signal that is dropped', 'spawn: an aborted signal: before, nothing runs; later, it is killed', raw(dropping('signal')))
  finds('a user that is dropped', 'spawn: runs as another user on request, or refuses', raw(dropping('user')))
  finds('a status that is guessed', 'spawn: every exit status comes back', raw(computers((computer) => ({ spawn: async (argv, options) => ({ ...(await computer.spawn(argv, options)), exit: Promise.resolve({ code: 0 }) }) }))))
  finds('a failure passed off as "not found"', 'lifecycle: a name that is taken is refused, and its computer untouched', (provider) => ({
    ...methods(provider),
    create: (options) => provider.create(options).catch(() => Promise.reject(Object.assign(new Error('no'), { code: 'not_found' }))),
  }))
  finds('a taken name that is taken over', 'lifecycle: a name that is taken is refused, and its computer untouched', (provider) => ({
    ...methods(provider),
    create: (options) => provider.create(options).catch(() => provider.get(options.name)),
  }))
  finds('a list cut after its first page', 'list: lists every computer once, with its labels', (provider) => ({
    ...methods(provider),
    async *list(options) {
      let left = 2
      for await (const info of provider.list(options)) if (left-- > 0) yield info
    },
  }))
  finds('labels that are lost', 'lifecycle: a created computer runs and says who it is', computers((computer) => ({ info: async () => ({ ...(await computer.info()), labels: {} }) })))
  finds('a stop that stops nothing', 'lifecycle: the disk outlives a stop, programs do not', computers(() => ({ stop: async () => {} })))
  finds('a member declared and missing', 'logs: by stream, from an offset, and the last lines', computers(() => ownSessions), { capabilities: { ...processProvider.capabilities, sessions: { fidelity: 'native' } } })
  finds('a declaration that is not kept', 'capabilities: what is declared native is there', (provider) => provider, { capabilities: { ...processProvider.capabilities, files: { fidelity: 'native' } } })
  finds('a shortfall without a reason', 'capabilities: every capability of a computer has a fidelity, and a reason where it is not native', computers((computer) => ({
    info: async () => ({ ...(await computer.info()), capabilities: { disk: { fidelity: 'emulated' } } }),
  })))

  it('nothing in the same provider without these defects', async () => {
    const tests = suite(raw((provider) => provider))
    for (const name of ['argv arrives exactly', 'cwd is absolute, or relative to home', 'env is merged over the computer\'s own', 'an aborted signal: before, nothing runs; later, it is killed', 'every exit status comes back']) {
      await tests.get(`spawn: ${name}`)?.()
    }
    await tests.get('afterwards: nothing is left')?.()
  })
})

function methods(provider: Provider): Provider {
  return {
    create: (options) => provider.create(options),
    get: (name, options) => provider.get(name, options),
    list: (options) => provider.list(options),
    health: (options) => provider.health(options),
  }
}
