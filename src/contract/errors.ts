/** Every failure has one of these. A closed set: a provider never invents one. */
export type ErrorCode =
  /** The caller asked for something malformed. Exit status 2. */
  | 'invalid_argument'
  /** The thing named does not exist, by the provider's own word. Exit status 3. */
  | 'not_found'
  /** No provider was chosen, and amux has no default. Exit status 4. */
  | 'no_provider'
  /** The provider's plugin is not installed. Exit status 4. */
  | 'provider_missing'
  /** The provider's plugin is installed but cannot be used. Exit status 4. */
  | 'provider_broken'
  /** A required setting or credential is absent. Exit status 4. */
  | 'credential_missing'
  /** The provider does not accept the credential. Exit status 4. */
  | 'unauthorized'
  /** A program or kernel feature that is needed is absent. Exit status 4. */
  | 'tool_missing'
  /** A capability, or an option of one, that this computer cannot have. Exit status 4. */
  | 'unsupported'
  /** It would lose something and was not confirmed. Exit status 5. */
  | 'confirmation_required'
  /** It contradicts what exists. Exit status 6. */
  | 'conflict'
  /** A computer of this name exists already. Exit status 6. */
  | 'already_exists'
  /** Another amux is changing the same thing. Exit status 6. */
  | 'locked'
  /** The computer is not running, and the call does not start it. Exit status 6. */
  | 'not_running'
  /** The provider or the computer does not answer. Exit status 7. */
  | 'unavailable'
  /** The connection broke; the fate of what was asked may be unknown. Exit status 7. */
  | 'connection_lost'
  /** Too many calls. Exit status 7. */
  | 'rate_limited'
  /** A plan's or a disk's limit is reached. Exit status 7. */
  | 'quota_exceeded'
  /** The time limit passed. Exit status 124. */
  | 'timeout'
  /** The caller gave up: an aborted signal, Ctrl-C. Exit status 130. */
  | 'aborted'
  /** There is no such program on the computer. Exit status 127 where a program's status is passed through. */
  | 'program_not_found'
  /** It is there and cannot be executed. Exit status 126 where a program's status is passed through. */
  | 'program_not_executable'
  /** The operating system refused: permission, read-only file system. Exit status 1. */
  | 'permission_denied'
  /** A file of amux's own, or a provider's answer, cannot be understood; its bytes are left alone. Exit status 1. */
  | 'corrupt'
  /** Anything else that went wrong outside amux. Exit status 1. */
  | 'failed'
  /** A defect in amux or a plugin. Exit status 1. */
  | 'internal'

/** Who is to blame. */
export type ErrorSource = 'amux' | 'provider' | 'transport' | 'program'

/**
 * The shape of every error that crosses the plugin boundary. It is recognised by its own `code` property, never by
 * its class: plugins live in another `node_modules`. A plain `Object.assign(new Error(message), {code})` is one.
 */
export interface AmuxError extends Error {
  readonly code: ErrorCode
  /** The next thing to do, preferably a command to type. */
  readonly hint?: string
  /** Default: `provider` for what a provider throws, else `amux`. */
  readonly source?: ErrorSource
  /** The provider's id, added by the registry. */
  readonly provider?: string
  /** The computer's name, where one was involved. */
  readonly computer?: string
  /** For `rate_limited` and `unavailable`: seconds after which trying again makes sense. */
  readonly retryAfter?: number
}
