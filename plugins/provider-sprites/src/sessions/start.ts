import { createHash, randomInt } from 'node:crypto'
import { posix } from 'node:path'
import type { Attachment, SessionInfo, StartOptions } from '../../../../src/contract/index.ts'
import { checkArgv } from '../../../shared/checks.ts'
import { Terminal } from './attach-terminal.ts'
import { Following } from './attach.ts'
import { fail, throwIfAborted } from '../errors.ts'
import { upload } from '../files/files.ts'
import type { Recorder } from './recorder.ts'
import type { Verdict } from './recorder-line.ts'
import { Stage, Tag, cells, numbers, packet } from './recorder-wire.ts'
import { type Live, type Written, describe } from './records.ts'
import type { Sprite } from '../sprite.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
const NO_GROUP = 0xffffffff
const ENOENT = 2

export interface Ends {
  kill(id: string): Promise<unknown>
  remove(id: string): Promise<unknown>
}

/** Starts a recorder in the service's own session, which is left to itself, and follows it. */
export async function startSession(recorder: Recorder, argv: readonly string[], options: StartOptions, ends: Ends): Promise<Attachment> {
  const { sprite } = recorder
  checkArgv(argv)
  throwIfAborted(options.signal)
  const { user } = await sprite.facts(options.signal)
  const other = options.user !== undefined && options.user !== user.name && options.user !== String(user.uid) ? await lookUp(sprite, options.user) : undefined
  const written: Written = {
    argv,
    ...(options.name !== undefined && { name: options.name }),
    labels: options.labels ?? {},
    cwd: posix.resolve(user.home, options.cwd ?? ''),
    user: options.user ?? user.name,
    tty: options.tty !== undefined,
    startedAt: new Date().toISOString(),
  }
  const place = await recorder.place()
  const id = Array.from({ length: 12 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  const dir = recorder.dir(place, id)
  await upload(sprite, `${dir}/start`, await request(recorder, written, options, other), 0o600, options.signal)
  try {
    const native = await recorder.open(() => ['record', dir], { maxRun: '0', ...(options.tty && { tty: options.tty }), ...(other && { user: 'root' }) })
    const owner = options.detached !== true
    const info = (hello: Live): SessionInfo => describe(id, written, { status: 'running' }, hello)
    let left = false
    const life = await Following.open(recorder, info, id, {
      role: owner ? 'o' : 'v',
      from: options.tty ? undefined : { stdout: 0, stderr: 0 },
      verify: options.verify ?? false,
      signal: options.signal,
      onAbort: () => ends.kill(id),
      // Its owner saw it to its end: nobody asks for it again.
      onOver: () => (owner && !left ? ends.remove(id) : undefined),
    }, (verdict) => refusal(sprite, written, verdict))
    life.onLeft = () => (left = true)
    if (options.tty) return new Terminal(native, life, { readOnly: false })
    native.leave(fail('aborted', 'left to itself', { source: 'amux' }))
    return life
  } catch (error) {
    await sprite.run(['sh', '-c', '[ -e "$1/record.json" ] || rm -rf -- "$1"', 'sh', dir]).catch(() => undefined)
    throw error
  }
}

interface User {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}

async function lookUp(sprite: Sprite, spec: string): Promise<User> {
  const [who = '', group] = spec.split(':', 2)
  const { code, stdout } = await sprite.run(['sh', '-c', 'id -u -- "$1" && id -g -- "$1" && id -G -- "$1"', 'sh', who])
  const [uid, gid, groups = ''] = stdout.toString().split('\n')
  const bare = code !== 0 && /^\d+$/.test(who)
  if (code !== 0 && !bare) throw fail('not_found', `there is no user ${who} on ${sprite.name}`, { source: 'program', computer: sprite.name })
  const own = Number(bare ? who : gid)
  const wanted = group === undefined ? own : Number(group)
  if (!Number.isInteger(wanted)) throw fail('not_found', `there is no group ${group} on ${sprite.name}: give its number`, { source: 'program', computer: sprite.name })
  return { uid: Number(bare ? who : uid), gid: wanted, groups: bare || group !== undefined ? [wanted] : groups.trim().split(' ').map(Number) }
}

/** What the recorder is to start. It travels in a file: an address would show it, and may not be long. */
async function request(recorder: Recorder, written: Written, { env = {}, bare = false, tty, stdin = true, detached = false, name }: StartOptions, user: User | undefined): Promise<Buffer> {
  const { root } = await recorder.place()
  const own = bare ? {} : { ...(await recorder.sprite.facts()).env, ...(tty && { TERM: 'xterm-256color', COLORTERM: 'truecolor' }) }
  return Buffer.concat([
    ...(name === undefined ? [] : [packet(Tag.lock, `${root}/.names/${createHash('sha256').update(name).digest('hex').slice(0, 32)}`)]),
    packet(Tag.record, JSON.stringify(written)),
    ...written.argv.map((word) => packet(Tag.arg, word)),
    ...Object.entries({ ...own, ...env }).map(([key, value]) => packet(Tag.env, `${key}=${value}`)),
    packet(Tag.cwd, written.cwd),
    ...(user ? [packet(Tag.user, numbers(user.uid, user.gid, ...user.groups))] : []),
    ...(tty ? [packet(Tag.size, Buffer.concat([cells(tty), numbers(NO_GROUP)]))] : []),
    ...(detached && !stdin ? [packet(Tag.noStdin)] : []),
    ...(detached ? [] : [packet(Tag.awaited)]),
  ])
}

function refusal({ name }: Sprite, { argv, cwd, user, name: session }: Written, { status, why, stage, number }: Verdict): Error {
  const [program = ''] = argv
  const details = { source: 'program', computer: name } as const
  if (why === 'name') return fail('conflict', `a session named ${JSON.stringify(session)} is running on ${name}`, { computer: name, hint: `See it: amux computer session ls -c ${name}` })
  if (stage === Stage.cwd) return fail('not_found', `there is no directory ${cwd} on ${name}`, details)
  if (stage === Stage.user) return fail('not_found', `programs cannot run as ${user} on ${name}`, details)
  if (stage === Stage.exec && number === ENOENT) return fail('program_not_found', `there is no program ${JSON.stringify(program)} on ${name}`, details)
  if (stage === Stage.exec || stage === Stage.interpreter) return fail('program_not_executable', `${program} on ${name} cannot be executed`, details)
  return fail('failed', `${program} could not be started on ${name} (${why ?? status} ${number ?? ''})`, details)
}
