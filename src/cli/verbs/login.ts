/** The user's login shell, or what there is. */
const LOGIN = 'for s in "$SHELL" /bin/bash /bin/sh; do if [ -x "$s" ]; then exec "$s" -l; fi; done'

export const loginShell: readonly string[] = ['/bin/sh', '-c', LOGIN]

/** A session that `amux computer shell` started. */
export function isLogin(argv: readonly string[]): boolean {
  return argv.length === loginShell.length && argv.at(-1) === LOGIN
}
