/** Files between this machine and a computer. */
export { type CopyOptions, copyIn, copyOut, readTar, writeTar } from './copy.ts'
export { fillWorkspace } from './fill.ts'
export { pack } from './pack.ts'
export { type UnpackOptions, unpack } from './unpack.ts'
