/** Points in time of a computer's disk, made from outside. */
export { DiskCheckpoints } from './checkpoints.ts'
export { recover } from './recover.ts'
