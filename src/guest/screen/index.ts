/** The terminal model. Its library is loaded when the first terminal session starts. */
export { createScreen } from './create.ts'
export type { Screen } from './screen.ts'
