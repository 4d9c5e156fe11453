import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fail, hasCode } from '../errors.ts'

interface Tls {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly verify: boolean
}

/** Where an engine is. */
export type Place =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: Tls }
  | { readonly kind: 'ssh'; readonly target: string; readonly port?: number; readonly path?: string }

export interface Found {
  readonly place: Place
  /** As one would write it in DOCKER_HOST. */
  readonly address: string
  /** What says so: `DOCKER_HOST`, `context desktop`, `default`. */
  readonly because: string
}

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT = '/var/run/docker.sock'

/** As the docker command finds it: DOCKER_HOST, DOCKER_CONTEXT, the chosen context, the socket of this machine. */
export function findEngine(setting: string | undefined, wanted?: string, env: Environment = process.env): Found {
  const config = env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker')
  const host = setting || env['DOCKER_HOST']
  if (host) return { place: parse(host, fromEnvironment(env, config)), address: host, because: setting && setting !== env['DOCKER_HOST'] ? 'the setting "host"' : 'DOCKER_HOST' }
  const context = wanted || env['DOCKER_CONTEXT'] || chosen(config)
  if (context !== undefined && context !== 'default') return inContext(config, context)
  const path = [DEFAULT, join(env['HOME'] || homedir(), '.docker/run/docker.sock')].find((one) => existsSync(one)) ?? DEFAULT
  return { place: { kind: 'unix', path }, address: `unix://${path}`, because: 'default' }
}

function chosen(config: string): string | undefined {
  const document = readJson(join(config, 'config.json'))
  const name = document instanceof Object && 'currentContext' in document ? document.currentContext : undefined
  return typeof name === 'string' && name !== '' ? name : undefined
}

function inContext(config: string, name: string): Found {
  const id = createHash('sha256').update(name).digest('hex')
  const file = join(config, 'contexts/meta', id, 'meta.json')
  // The docker command's own file: whatever is missing is told below.
  const document = readJson(file) as { Endpoints?: { docker?: { Host?: unknown; SkipTLSVerify?: unknown } } } | undefined
  const { Host: host, SkipTLSVerify: skip } = document?.Endpoints?.docker ?? {}
  if (typeof host !== 'string') throw fail('invalid_argument', `there is no Docker context ${JSON.stringify(name)}`, { hint: 'See which there are: docker context ls', source: 'amux' })
  const tls = certificates(join(config, 'contexts/tls', id, 'docker'), skip !== true)
  return { place: parse(host, tls), address: host, because: `context ${name}` }
}

function fromEnvironment(env: Environment, config: string): Tls | undefined {
  const verify = (env['DOCKER_TLS_VERIFY'] ?? '') !== ''
  if (!verify && env['DOCKER_TLS'] === undefined) return undefined
  return certificates(env['DOCKER_CERT_PATH'] || config, verify) ?? { verify }
}

/** Undefined where there is none. */
function certificates(folder: string, verify: boolean): Tls | undefined {
  const names = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' }
  const there = Object.entries(names).filter(([, name]) => existsSync(join(folder, name)))
  if (there.length === 0) return undefined
  return { ...Object.fromEntries(there.map(([key, name]) => [key, readFileSync(join(folder, name))])), verify }
}

function parse(text: string, tls: Tls | undefined): Place {
  const unclear = () => fail('invalid_argument', `${JSON.stringify(text)} is no address of a Docker engine`, { hint: 'It is like unix:///var/run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST.', source: 'amux' })
  if (text.startsWith('unix://')) return { kind: 'unix', path: text.slice('unix://'.length) || DEFAULT }
  if (text.startsWith('npipe://')) return { kind: 'unix', path: text.slice('npipe://'.length).replaceAll('/', '\\') }
  if (text.startsWith('/')) return { kind: 'unix', path: text }
  let url: URL
  try {
    url = new URL(text.includes('://') ? text : `tcp://${text}`)
  } catch {
    throw unclear()
  }
  const port = url.port === '' ? undefined : Number(url.port)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (host === '' || host.startsWith('-')) throw unclear()
  if (url.protocol === 'ssh:') {
    const target = url.username === '' ? host : `${decodeURIComponent(url.username)}@${host}`
    if (target.startsWith('-')) throw unclear()
    return { kind: 'ssh', target, ...(port !== undefined && { port }), ...(url.pathname.length > 1 && { path: url.pathname }) }
  }
  if (!['tcp:', 'http:', 'https:'].includes(url.protocol)) throw unclear()
  const secure = tls ?? (url.protocol === 'https:' ? { verify: true } : undefined)
  return { kind: 'tcp', host, port: port ?? (secure ? 2376 : 2375), ...(secure && { tls: secure }) }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw fail('corrupt', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { source: 'amux', cause: error })
  }
}
