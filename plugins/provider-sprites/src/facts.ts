import type { ComputerUser } from '../../../src/contract/index.ts'
import { fail } from './errors.ts'
import type { Sprite } from './sprite.ts'

export interface Facts {
  readonly user: ComputerUser
  /** The environment programs get; `create -e` is in it. */
  readonly env: Readonly<Record<string, string>>
  /** As Node calls it: `x64`, `arm64`. */
  readonly arch: string
}

/** Where the variables given at creation are: on the sprite, never in its metadata. */
export const ENV_FILE = '.amux/env'

const ASK = `id -un; id -u; id -g; uname -m; cd; pwd; printf '\\0'; env -0; printf '\\0'; cat "$HOME/${ENV_FILE}" 2>/dev/null || :`
const archs: Readonly<Record<string, string>> = { x86_64: 'x64', aarch64: 'arm64' }

export async function learnFacts(sprite: Sprite, signal: AbortSignal | undefined): Promise<Facts> {
  const { stdout } = await sprite.run(['sh', '-c', ASK], { signal })
  const text = stdout.toString()
  const [head = '', ...rest] = text.split('\0')
  const [name, uid, gid, machine = '', home] = head.split('\n')
  if (name === undefined || !/^\d+$/.test(uid ?? '') || home === undefined || !home.startsWith('/')) throw fail('corrupt', `${sprite.name} does not say who its programs run as`, { computer: sprite.name })
  return {
    user: { name, uid: Number(uid), gid: Number(gid), home },
    env: environment(rest),
    arch: archs[machine] ?? machine,
  }
}

/** `K=V` texts; what the shell made of itself is left out. */
function environment(texts: readonly string[]): Record<string, string> {
  const pairs = texts.flatMap((text) => {
    const cut = text.indexOf('=')
    return cut < 1 ? [] : [[text.slice(0, cut), text.slice(cut + 1)] as const]
  })
  const { _: __, OLDPWD: ___, PWD: ____, SHLVL: _____, ...env } = Object.fromEntries(pairs)
  return env
}
