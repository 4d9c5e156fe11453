/** Files between this machine and a computer. */
export { fillWorkspace } from './fill.ts'
export { pack } from './pack.ts'
