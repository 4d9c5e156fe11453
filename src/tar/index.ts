/** The tar format, the same at both ends: it knows nothing of ours, and no end's errors. */
export { writeBody } from './body.ts'
export { type Entry, latin1, utf8 } from './header.ts'
export { handOver, type HandoverOptions, type Opened, type Opens, opens, type Writes, writes } from './handover.ts'
export { pack } from './pack.ts'
export { kindOf, type PackOptions, packPortably, type Root } from './portable.ts'
export { isNotStarted } from './program.ts'
export { show, TarReader } from './read.ts'
export { unpackBy, unpackFrom } from './unpack.ts'
