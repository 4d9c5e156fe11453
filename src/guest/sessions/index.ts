/** Programs that outlive their clients. */
export { type EngineDeps, SessionEngine } from './engine.ts'
export { type LogQuery, writeLogs } from './logs.ts'
export { type FrameStream, handleAttach, handleExec } from './serve.ts'
export type { CreateScreen, Screen } from './screen-type.ts'
export type { Session } from './session.ts'
