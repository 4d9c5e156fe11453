import { fail } from '../../errors/index.ts'
import { type ToolFailure, toolError } from '../aside/index.ts'

/** What to do about half a restore. */
export const HALF = 'Mend what is named, such as a full disk. The next start finishes the restore: amux computer start'

type Words = (failure: ToolFailure) => Error | undefined

const byStep: Readonly<Record<string, Words>> = {
  busy: () => fail('locked', 'another amux is making, restoring or removing checkpoints of this computer', { hint: 'Try again when it is done.' }),
  interrupted: () => fail('unavailable', 'amux\'s own helper was told to end; nothing was changed', { hint: 'Try again.' }),
  half: (failure) =>
    fail('failed', `the restore stopped half way (${failure.text}), and the way back, too; the computer stays stopped until it is finished`, {
      hint: HALF,
      cause: failure,
    }),
  read: ({ errno, subject }) => {
    if (errno !== 'EACCES' && errno !== 'EPERM') return undefined
    return fail('permission_denied', `${subject} cannot be read`, { hint: 'Somebody else owns it: give it to yourself, or leave the project out: --no-workspace' })
  },
  restore: (failure) => fail(toolError(failure).code, `${where(failure)}${failure.errno === 'EINVAL' ? 'its owner is nobody whom you may give it to' : failure.text}; everything is as it was before the restore`),
  import: ({ errno, text, subject }) => errno === 'EPERM' ? fail('corrupt', `this checkpoint brings what none may bring: ${subject}: ${text}`, { hint: 'Nothing was taken in. amux leaves such things out when it exports: somebody else made this file.' }) : fail('corrupt', `this is no whole checkpoint: ${[subject, text].filter(Boolean).join(': ')}`, { hint: 'Nothing was taken in. Export it again: amux computer checkpoint export ID -o FILE' }),
  export: ({ errno, subject }) => {
    if (errno !== 'EOPNOTSUPP') return undefined
    return fail('unsupported', `${subject} is a part of the image that was moved, or whose content is still the image's: that cannot leave its engine`, { hint: 'Save the system as a template instead: amux computer template save NAME' })
  },
  corrupt: ({ subject, text }) => fail('corrupt', `${subject} is damaged: ${text}`, { hint: 'Other checkpoints are not concerned: amux computer checkpoint ls' }),
  system: () => fail('unsupported', 'the system in this checkpoint was kept in another way than this computer has its system now, and cannot be put back', { hint: 'What else is in it can: amux computer checkpoint restore ID --paths PATH' }),
  path: ({ subject }) => fail('invalid_argument', `${JSON.stringify(subject)} is no path on the computer`, { hint: 'Give absolute paths without . and .. parts.' }),
}

/** What the engine's failures mean to people. */
export function explain(failure: ToolFailure): Error {
  const { errno, step, subject } = failure
  const known = byStep[step]?.(failure)
  if (known !== undefined) return known
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return fail('quota_exceeded', 'the disk that holds the checkpoints is full; nothing was changed', { hint: 'Delete files on the computer, or checkpoints: amux computer checkpoint ls says what each one costs, amux computer checkpoint rm ID gives it back.' })
  }
  return errno === 'ENOENT' && isId(subject) ? missing(subject) : toolError(failure)
}

export function missing(id: string): Error {
  return fail('not_found', `there is no checkpoint ${id}`, { hint: 'See which there are: amux computer checkpoint ls' })
}

/** Anything else would be a path. */
export function checkId(id: string): void {
  if (!isId(id)) throw isPlain(id) ? missing(id) : fail('invalid_argument', `${JSON.stringify(id)} is no checkpoint's id`, { hint: 'Ids are like v3 and auto-2: amux computer checkpoint ls' })
}

function isId(id: string): boolean {
  return /^(v|auto-)[1-9][0-9]{0,15}$/.test(id)
}

function isPlain(id: string): boolean {
  return /^[A-Za-z0-9-]+$/.test(id)
}

function where({ subject }: ToolFailure): string {
  return subject === '' ? '' : `${subject}: `
}
