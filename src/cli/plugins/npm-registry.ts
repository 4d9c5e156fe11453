import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fail, normalise } from '../../errors/index.ts'

type Environment = Readonly<Record<string, string | undefined>>

const PUBLIC = 'https://registry.npmjs.org/'
/** With the start of amux itself this stays below two seconds. */
const PATIENCE = 1300

/** The package registry npm will ask for this package. */
export function registryOf(spec: string, env: Environment, dataDir: string): string {
  const scope = /^(@[^/]+)\//.exec(spec)?.[1]
  const files = [join(dataDir, '.npmrc'), env['NPM_CONFIG_USERCONFIG'] ?? env['npm_config_userconfig'] ?? join(homedir(), '.npmrc')]
  const settings = files.map(readSettings)
  const fromFiles = (key: string) => settings.map((table) => table.get(key)).find((value) => value !== undefined)
  const ofScope = scope === undefined ? undefined : (env[`npm_config_${scope}:registry`] ?? fromFiles(`${scope}:registry`))
  return ofScope || env['AMUX_NPM_REGISTRY'] || env['npm_config_registry'] || env['NPM_CONFIG_REGISTRY'] || fromFiles('registry') || PUBLIC
}

function readSettings(file: string): ReadonlyMap<string, string> {
  try {
    const pairs = readFileSync(file, 'utf8').split('\n').map((line) => /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line))
    return new Map(pairs.flatMap((pair) => (pair ? [[pair[1] ?? '', (pair[2] ?? '').replace(/^"(.*)"$/, '$1')]] : [])))
  } catch {
    return new Map()
  }
}

/**
 * Whether the registry answers, and has the package. npm alone takes minutes to give up, and then says in every case
 * that the package does not exist.
 */
export async function probe(registry: string, name: string, env: Environment): Promise<void> {
  if (proxied(env)) return
  const status = await ask(new URL(encodeURIComponent(name).replace('%40', '@'), registry.endsWith('/') ? registry : `${registry}/`))
  if (status !== 404 || name === '') return
  throw fail('not_found', `the package registry ${withoutSecrets(registry)} has no package ${name}`, { hint: 'Look at the spelling, or name another registry: AMUX_NPM_REGISTRY=URL' })
}

async function ask(url: URL): Promise<number> {
  const limit = AbortSignal.timeout(PATIENCE)
  const { request } = process.getBuiltinModule(url.protocol === 'http:' ? 'node:http' : 'node:https')
  try {
    return await new Promise<number>((resolve, reject) => {
      const asking = request(url, { signal: limit, headers: { accept: 'application/vnd.npm.install-v1+json' } }, (response) => {
        resolve(response.statusCode ?? 0)
        response.destroy()
      })
      asking.on('error', reject).end()
    })
  } catch (error) {
    throw unreachable(url.origin, limit.aborted ? 'no answer' : reason(error), error)
  }
}

/** Then the registry is the proxy's business. */
function proxied(env: Environment): boolean {
  const names = ['https_proxy', 'http_proxy', 'npm_config_proxy', 'npm_config_https_proxy', 'npm_config_https-proxy']
  return names.some((name) => env[name] || env[name.toUpperCase()])
}

function unreachable(registry: string, why: string, cause: unknown): Error {
  return fail('unavailable', `the package registry ${withoutSecrets(registry)} does not answer (${why})`, {
    hint: 'Check the network, or name another registry: AMUX_NPM_REGISTRY=URL\nA packed plugin installs without one: amux plugins install ./plugin.tgz',
    source: 'transport',
    cause,
  })
}

function reason(error: unknown): string {
  const { message, cause } = normalise(error)
  return cause instanceof Error && 'code' in cause ? String(cause.code) : message
}

function withoutSecrets(registry: string): string {
  return registry.replace(/\/\/[^/@]*@/, '//')
}
