/** A computer's ports on this machine. */
export { type AutoOptions, forwardAll } from './auto.ts'
export { type ForwardEvents, type Listening, forward } from './forward.ts'
export { type Ends, parseTarget, pipe } from './pipe.ts'
export { type Forward, formatEnd, parseForward, parsePublish } from './spec.ts'
