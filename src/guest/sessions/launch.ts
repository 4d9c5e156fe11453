import type { TerminalSize } from '../../contract/index.ts'
import { packet } from '../../native/index.ts'
import { Tag } from './wire.ts'

/** What a holder is asked to start: everything decided, nothing looked up any more but the program itself. */
export interface Launch {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Absent: stay who we are. */
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] } | undefined
  readonly tty: (TerminalSize & { readonly group: number | undefined }) | undefined
  readonly stdin: boolean
  readonly dir: string
  readonly socket: string
}

const NO_GROUP = 0xffffffff

export function encodeLaunch(launch: Launch): Buffer {
  const { argv, env, user, tty } = launch
  return Buffer.concat([
    ...argv.map((word) => packet(Tag.arg, word)),
    ...Object.entries(env).map(([name, value]) => packet(Tag.env, `${name}=${value}`)),
    packet(Tag.cwd, launch.cwd),
    ...(user === undefined ? [] : [packet(Tag.user, u32(user.uid, user.gid, ...user.groups))]),
    ...(tty === undefined ? [] : [packet(Tag.size, Buffer.concat([encodeSize(tty), u32(tty.group ?? NO_GROUP)]))]),
    ...(launch.stdin ? [] : [packet(Tag.noStdin)]),
    packet(Tag.dir, launch.dir),
    packet(Tag.socket, launch.socket),
    packet(Tag.start),
  ])
}

export function encodeSize({ cols, rows }: TerminalSize): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt16BE(cols, 0)
  bytes.writeUInt16BE(rows, 2)
  return bytes
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length)
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index))
  return bytes
}
