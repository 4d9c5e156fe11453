import { randomBytes } from 'node:crypto'
import type { Computer, ComputerInfo, ConnectContext, CreateOptions, Health, NetworkPolicy, Provider } from '../../../src/contract/index.ts'
import { checkEnvironment, checkName } from '../../shared/checks.ts'
import { Client, spritePath } from './service/client.ts'
import { SpriteComputer, wake } from './computer.ts'
import { type SpriteDocument, checkDocument, hasEnv, infoOf, isOurs, writeLabels } from './document.ts'
import { mayPass, withWaiting } from './service/retry.ts'
import { fail, hasCode, statusOf, throwIfAborted } from './errors.ts'
import { ENV_FILE } from './facts.ts'
import { Sprite } from './sprite.ts'

export const DEFAULT_URL = 'https://api.sprites.dev'
const CREATE_MS = 300_000
const PAGE = 50
const PAGES_MOST = 1000
/** What tells our own sprite from somebody else's of the same name, when the answer to its creation was lost. */
const NONCE = 'amux.create.'

interface Page {
  readonly sprites?: readonly SpriteDocument[]
  readonly has_more?: boolean
  readonly next_continuation_token?: string | null
  readonly name?: string
  readonly running?: number
  readonly warm?: number
  readonly cold?: number
  readonly running_limit?: number
}

export function connectSprites(context: ConnectContext): Provider {
  const { token = '', url = DEFAULT_URL } = context.settings
  return new SpritesProvider(new Client({ url: url || DEFAULT_URL, token, debug: (text) => context.debug(text) }), context)
}

class SpritesProvider implements Provider {
  readonly #client: Client
  readonly #context: ConnectContext

  constructor(client: Client, context: ConnectContext) {
    this.#client = client
    this.#context = context
  }

  async create(options: CreateOptions): Promise<Computer> {
    const { name, signal, env = {} } = options
    const policy = checkOptions(options)
    throwIfAborted(signal)
    const given = Object.keys(env).length > 0
    const document = await this.#make(options, given)
    const sprite = this.#sprite(document)
    try {
      // Before anything runs on it.
      if (policy) await this.#client.json('POST', sprite.path('policy', 'network'), { body: policy, signal, again: true })
      if (given) await giveEnvironment(sprite, env, signal)
      await wake(sprite, signal)
    } catch (error) {
      await this.#client.json('DELETE', spritePath(name)).catch(() => undefined)
      throw error
    }
    return new SpriteComputer(sprite)
  }

  async get(name: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Computer> {
    checkName(name)
    const document = checkDocument(await this.#client.json<SpriteDocument>('GET', spritePath(name), { signal }).catch((error: unknown) => {
      throw statusOf(error) === 404 ? missing(name, error) : error
    }))
    return new SpriteComputer(this.#sprite(document))
  }

  async *list({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<ComputerInfo> {
    let pages = 0
    for (let token: string | undefined; ; ) {
      const page = await this.#page({ max_results: PAGE, continuation_token: token }, signal)
      for (const document of page.sprites ?? []) if (isOurs(document)) yield infoOf(document, undefined)
      const before = token
      token = page.next_continuation_token ?? undefined
      if (page.has_more !== true || token === undefined || token === '') return
      if (token === before || ++pages >= PAGES_MOST) throw fail('corrupt', 'the list of sprites has no end', { source: 'transport' })
    }
  }

  async health({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Health> {
    try {
      const { name, running = 0, warm = 0, cold = 0, running_limit = 0 } = await this.#page({ max_results: 1 }, signal)
      const details = { api: this.#client.host, ...(name !== undefined && { organization: name }), ...(this.#client.server.version !== undefined && { version: this.#client.server.version }) }
      return { ok: true, message: `${running} sprites run${running_limit > 0 ? ` of ${running_limit}` : ''}, ${warm + cold} sleep`, details }
    } catch (error) {
      if (signal?.aborted) throw error
      const { message, code, hint } = error as Error & Partial<Pick<Health, 'code' | 'hint'>>
      return { ok: false, message, ...(code !== undefined && { code }), ...(hint !== undefined && { hint }), details: { api: this.#client.host } }
    }
  }

  /** Once. A create whose answer was lost is looked up before it is repeated. */
  async #make({ name, labels, signal }: CreateOptions, given: boolean): Promise<SpriteDocument> {
    const nonce = randomBytes(6).toString('hex')
    const body = { name, labels: [...writeLabels(labels, given), `${NONCE}${nonce}`], wait_for_capacity: true }
    const post = () => this.#client.json<SpriteDocument>('POST', '/v1/sprites', { body, signal, timeout: CREATE_MS })
    if (await this.#look(name, signal)) throw taken(name)
    let waited = 0
    for (let tries = 1; ; tries++) {
      try {
        return checkDocument(await post())
      } catch (error) {
        const mine = hasCode(error, 'connection_lost', 'unavailable', 'conflict', 'invalid_argument') ? await this.#look(name, undefined).catch(() => undefined) : undefined
        if (mine?.labels?.includes(`${NONCE}${nonce}`)) return mine
        if (mine) throw taken(name)
        if (!mayPass(error) || tries >= 3) throw withWaiting(error, waited)
        const pause = pauseOf(error, tries)
        waited += pause
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
  }

  async #look(name: string, signal: AbortSignal | undefined): Promise<SpriteDocument | undefined> {
    try {
      return checkDocument(await this.#client.json<SpriteDocument>('GET', spritePath(name), { signal }))
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw error
    }
  }

  #page(query: Readonly<Record<string, string | number | undefined>>, signal: AbortSignal | undefined): Promise<Page> {
    return this.#client.json<Page>('GET', '/v1/sprites', { query, signal })
  }

  #sprite(document: SpriteDocument): Sprite {
    return new Sprite(document.name, this.#client, this.#context, hasEnv(document))
  }
}

/** The policy to begin with, if any. What cannot be had is refused before anything is made. */
function checkOptions({ name, template, network, options, env }: CreateOptions): NetworkPolicy | undefined {
  checkName(name)
  if (template !== undefined) throw fail('unsupported', 'sprites have no templates', { source: 'amux' })
  for (const option of Object.keys(options ?? {})) throw fail('unsupported', `provider sprites has no option "${option}"`, { source: 'amux' })
  checkEnvironment(env)
  if ((network?.hostPorts ?? []).length > 0) throw fail('unsupported', "a sprite cannot reach this machine's ports", { source: 'amux', hint: 'Forward the other way: amux computer proxy' })
  return network?.access === 'none' ? { rules: [{ domain: '*', action: 'deny' }] } : network?.policy
}

/** On the sprite, readable by its user alone: what the API keeps, everybody sees who may list. */
async function giveEnvironment(sprite: Sprite, env: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<void> {
  const input = Buffer.from(Object.entries(env).map(([key, value]) => `${key}=${value}\0`).join(''))
  await sprite.text(['sh', '-c', `umask 077 && mkdir -p "$HOME/.amux" && cat > "$HOME/${ENV_FILE}"`], { input, signal })
}

function pauseOf(error: unknown, tries: number): number {
  const asked = error instanceof Object && 'retryAfter' in error && typeof error.retryAfter === 'number' ? error.retryAfter * 1000 : 0
  return Math.min(60_000, Math.max(asked, 500 * 2 ** tries))
}

function taken(name: string): Error {
  return fail('already_exists', `there is a sprite ${name} already`, { computer: name, hint: `See it: amux computer info -c ${name} -P sprites` })
}

function missing(name: string, cause: unknown): Error {
  return fail('not_found', `there is no sprite ${name}`, { computer: name, cause, hint: 'See what there is: amux computer ls' })
}
