import { fail } from '../../errors/index.ts'

/** A computer's signals are Linux's, whatever this machine has. */
const signals = new Set(
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
    .split(' ')
    .map((name) => `SIG${name}`),
)

/** Said at once: what goes to the guest as a frame is not answered. */
export function checkSignal(name: string): void {
  if (!signals.has(name)) throw fail('invalid_argument', `there is no signal ${JSON.stringify(name)}`, { hint: 'Write it like SIGTERM.' })
}
