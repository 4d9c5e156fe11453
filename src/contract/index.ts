/**
 * The contract between amux and a provider. Types only: importing this page costs nothing.
 * Start with `ProviderDescriptor`, then `Provider`, then `Computer`.
 */
export type * from './capabilities.ts'
export type * from './checkpoints.ts'
export type * from './computer.ts'
export type * from './errors.ts'
export type * from './files.ts'
export type * from './network.ts'
export type * from './plugin.ts'
export type * from './ports.ts'
export type * from './process.ts'
export type * from './provider.ts'
export type * from './services.ts'
export type * from './sessions.ts'
export type * from './streams.ts'
export type * from './templates.ts'
export type * from './url.ts'
