/** Files between this machine and a computer. */
export { copyIn } from './copy-in.ts'
export { copyOut } from './copy-out.ts'
export { fillWorkspace } from './fill.ts'
export { pack } from './pack.ts'
export { destination, listing } from './paths.ts'
export type { CopyOptions } from './sides.ts'
export { readFile, readTar, writeTar } from './tar.ts'
export { type UnpackOptions, unpack } from './unpack.ts'
