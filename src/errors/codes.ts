import type { ErrorCode } from '../contract/index.ts'

interface CodeFacts {
  /** Exit status of a command that does not pass a program's status through. */
  readonly exit: number
  /** Trying the same again may help. */
  readonly transient?: true
}

export const codes: { readonly [code in ErrorCode]: CodeFacts } = {
  invalid_argument: { exit: 2 },
  not_found: { exit: 3 },
  no_provider: { exit: 4 },
  provider_missing: { exit: 4 },
  provider_broken: { exit: 4 },
  credential_missing: { exit: 4 },
  unauthorized: { exit: 4 },
  tool_missing: { exit: 4 },
  unsupported: { exit: 4 },
  confirmation_required: { exit: 5 },
  conflict: { exit: 6 },
  already_exists: { exit: 6 },
  locked: { exit: 6, transient: true },
  not_running: { exit: 6 },
  unavailable: { exit: 7, transient: true },
  connection_lost: { exit: 7, transient: true },
  rate_limited: { exit: 7, transient: true },
  quota_exceeded: { exit: 7 },
  timeout: { exit: 124, transient: true },
  aborted: { exit: 130 },
  program_not_found: { exit: 1 },
  program_not_executable: { exit: 1 },
  permission_denied: { exit: 1 },
  corrupt: { exit: 1 },
  failed: { exit: 1 },
  internal: { exit: 1 },
}
