/** What client and guest say to each other: constants and types only. */
export * from './direct.ts'
export * from './frames.ts'
export * from './messages.ts'
export * from './paths.ts'
export * from './terminal.ts'
