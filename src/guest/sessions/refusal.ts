import { constants } from 'node:os'
import { GuestError } from '../wire.ts'
import type { Launch } from './launch.ts'
import { Stage } from './wire.ts'

const names: ReadonlyMap<number, string> = new Map(Object.entries(constants.errno).toReversed().map(([name, value]) => [value, name]))
const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'])
const NO_ROOM = new Set(['ENOMEM', 'EAGAIN', 'EMFILE', 'ENFILE', 'ENOSPC'])

/** Why a program was not started, from the step that failed and the system's error. */
export function explainRefusal(stage: number, errno: number, launch: Launch): GuestError {
  const reason = names.get(errno) ?? `error ${errno}`
  if (NO_ROOM.has(reason)) return new GuestError('quota_exceeded', `the computer has no room for another program (${reason})`)
  if (stage === Stage.exec || stage === Stage.interpreter) return explainExec(stage, reason, launch)
  if (stage === Stage.cwd) return explainDirectory(reason, launch.cwd)
  if (stage === Stage.user) return new GuestError('permission_denied', `programs cannot run as user ${launch.user?.uid} here (${reason})`)
  return new GuestError('failed', `the program could not be started (step ${stage}, ${reason})`)
}

function explainExec(stage: number, reason: string, { argv }: Launch): GuestError {
  const program = JSON.stringify(argv[0] ?? '')
  if (stage === Stage.interpreter) {
    return new GuestError('program_not_executable', `${program} cannot be executed: its interpreter is missing`, { source: 'program' })
  }
  if (NOT_THERE.has(reason)) return new GuestError('program_not_found', `there is no program ${program} on the computer`, { source: 'program', ...wordHint(argv) })
  if (reason === 'E2BIG') return new GuestError('invalid_argument', 'the arguments and the environment are too long for the system', { source: 'program' })
  return new GuestError('program_not_executable', `${program} cannot be executed (${reason})`, { source: 'program' })
}

/** A whole shell line given as one word. */
function wordHint(argv: readonly string[]): { hint?: string } {
  if (argv.length !== 1 || !/\s/.test(argv[0] ?? '')) return {}
  return { hint: 'It is a single word with blanks in it. Leave out the quotes, or use sh -c.' }
}

function explainDirectory(reason: string, cwd: string): GuestError {
  const directory = JSON.stringify(cwd)
  if (NOT_THERE.has(reason)) return new GuestError('not_found', `there is no directory ${directory} on the computer`)
  return new GuestError('permission_denied', `the directory ${directory} cannot be entered (${reason})`)
}
