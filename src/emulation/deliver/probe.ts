import { fail } from '../../errors/index.ts'

/** What a computer told about itself. */
export interface Probe {
  readonly store: string
  readonly run: string
  readonly arch: string
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string }
  /** This version's kit is there, whole. */
  readonly hasKit: boolean
  readonly glibc: boolean
  /** The computer's own Node. */
  readonly node?: { readonly path: string; readonly version: string }
  /** Nodes that amux delivered before. */
  readonly delivered: readonly string[]
  /** A socket of a guest, which need not answer. */
  readonly hasSocket: boolean
  readonly env: Readonly<Record<string, string>>
}

/** In the order of `uname -m`. */
const architectures: Readonly<Record<string, string>> = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64', arm64: 'arm64' }

/** Belongs to the probing shell, not to the computer. */
const passing = new Set(['_', 'PWD', 'OLDPWD', 'SHLVL', 'HOME', 'USER', 'LOGNAME', 'TERM', 'COLUMNS', 'LINES', 'NODE_CHANNEL_FD'])

export function parseProbe(text: string): Probe {
  const words = text.split('\0')
  const split = words.indexOf('env')
  const facts = pairs(words.slice(0, split))
  const one = (key: string) => facts.findLast(([name]) => name === key)?.[1] ?? ''
  if (one('problem') !== '') throw fail('unsupported', `the guest has no place on the computer: ${one('problem')}`)
  if (split < 0 || one('store') === '' || one('arch') === '') throw fail('corrupt', 'the computer gave no sensible answer to the probe', { source: 'transport' })
  const [uid, gid] = [Number(one('uid')), Number(one('gid'))]
  if (!Number.isInteger(uid) || !Number.isInteger(gid)) throw fail('corrupt', 'the computer does not know its user', { source: 'transport' })
  const version = one('nodeVersion')
  return {
    store: one('store'),
    run: one('run'),
    arch: architectures[one('arch')] ?? one('arch'),
    user: { name: one('user'), uid, gid, home: one('home') || '/' },
    hasKit: one('kit') === 'yes',
    glibc: one('libc') === 'glibc',
    ...(version !== '' && { node: { path: one('node'), version } }),
    delivered: facts.filter(([name]) => name === 'own').map(([, value]) => value),
    hasSocket: one('guest') !== '',
    env: Object.fromEntries(pairs(words.slice(split + 1)).filter(([name]) => !passing.has(name))),
  }
}

function pairs(words: readonly string[]): [string, string][] {
  return words.filter((word) => word.indexOf('=') > 0).map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)])
}
