/** Where amux keeps things on this machine, and what the user set. */
export { type Paths, paths, privateDir, runtimeDir } from './paths.ts'
