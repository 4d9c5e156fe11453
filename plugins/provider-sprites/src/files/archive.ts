import { createHash, randomBytes } from 'node:crypto'
import type { Archive, ByteSource } from '../../../../src/contract/index.ts'
import { fail, given, throwIfAborted } from '../errors.ts'
import { program } from './errors.ts'
import { absolute, upload } from './files.ts'
import type { Sprite } from '../sprite.ts'
import { checkTar } from './tar-check.ts'

const PACK = `
umask 077; mkdir -p -- "$(dirname -- "$2")"
if [ -d "$1" ]; then cd -- "$1" || exit 42; find . -mindepth 1 -maxdepth 1 ! -type s -printf '%P\\0' | tar -c --format=pax --pax-option=delete=atime,delete=ctime --null --verbatim-files-from --warning=no-file-ignored -T - -f "$2" || [ $? -eq 1 ] || exit 1
elif [ -e "$1" ]; then cd -- "$(dirname -- "$1")" && tar -c -h --format=pax --pax-option=delete=atime,delete=ctime -f "$2" -- "$(basename -- "$1")" || exit 1
elif [ -L "$1" ]; then exit 40
else why "$1"; fi
stat -c %s -- "$2"; sha256sum < "$2" | cut -c1-64`

/**
 * Into a directory of its own first, which nobody's links lead out of; then merged, as far as nothing is in the way. The
 * directory itself stays as it is: it may be somebody else's, as `/tmp` is.
 */
const UNPACK = `
mkdir -p -- "$1" 2>/dev/null || why "$1"
stage=$1/.amux-$3
mkdir -m 700 -- "$stage" || exit 42
trap 'rm -rf -- "$stage"' EXIT
tar -x -p --no-same-owner -f "$2" -C "$stage" || exit 43
chmod 700 -- "$stage"
find "$stage" -mindepth 1 -perm /7000 -exec chmod ug-s,-t {} +
find "$stage" -mindepth 1 -maxdepth 1 -exec cp -a --remove-destination --reflink=auto -t "$1" -- {} + || exit 41`

/** Through files on the sprite, whose size and hash are compared: long outputs are known to lose bytes on their way. */
export function spriteArchive(sprite: Sprite): Archive {
  return {
    read: (path, { signal } = {}) => pack(sprite, path, signal),
    write: (path, tar, options = {}) => unpack(sprite, path, tar, options),
  }
}

async function* pack(sprite: Sprite, path: string, signal: AbortSignal | undefined): ByteSource {
  throwIfAborted(signal)
  const file = await aside(sprite)
  try {
    const said = (await program(sprite, PACK, [await absolute(sprite, path), file], { signal })).toString().trim().split('\n')
    const [size = '', hash = ''] = said.slice(-2)
    const answer = await sprite.client.bytes('GET', sprite.path('fs', 'read'), { query: { path: file, workingDir: '/' }, signal, timeout: 0 })
    const arrived = createHash('sha256')
    let count = 0
    for await (const chunk of answer.body) {
      arrived.update(chunk)
      count += chunk.length
      yield chunk
    }
    if (String(count) !== size || arrived.digest('hex') !== hash) throw fail('connection_lost', `${path} did not arrive whole from ${sprite.name}: ${count} of ${size} bytes`, { source: 'transport', computer: sprite.name, hint: 'Try again.' })
  } catch (error) {
    throw signal?.aborted ? given(signal) : error
  } finally {
    await discard(sprite, file)
  }
}

async function unpack(sprite: Sprite, path: string, tar: ByteSource, { user, signal }: { readonly user?: string; readonly signal?: AbortSignal }): Promise<void> {
  throwIfAborted(signal)
  const file = await aside(sprite)
  try {
    const whole = await absolute(sprite, path)
    await upload(sprite, file, checkTar(tar), 0o600, signal)
    await program(sprite, UNPACK, [whole, file, randomBytes(6).toString('hex')], { signal })
    if (user !== undefined) await sprite.text(['sudo', '-n', 'chown', '-R', '--', user, whole], { signal })
  } finally {
    await discard(sprite, file)
  }
}

async function aside(sprite: Sprite): Promise<string> {
  return `${(await sprite.facts()).user.home}/.amux/tmp/${randomBytes(8).toString('hex')}.tar`
}

async function discard(sprite: Sprite, file: string): Promise<void> {
  await sprite.client.json('DELETE', sprite.path('fs', 'delete'), { query: { path: file, workingDir: '/' } }).catch(() => undefined)
}
