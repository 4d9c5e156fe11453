/** A computer's ports on this machine. */
export { type ForwardEvents, type Listening, forward } from './forward.ts'
export { type Forward, parseForward } from './spec.ts'
