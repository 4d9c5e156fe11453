/** The tar format, the same at both ends: it knows nothing of ours, and no end's errors. */
export { writeBody } from './body.ts'
export { type Entry, latin1, utf8 } from './header.ts'
export { type PackOptions, type Root, pack } from './pack.ts'
export { show, TarReader } from './read.ts'
