/** Coding agents: which there are, how they get onto a computer, how they are started. */
export type { Asked } from './ask.ts'
export { type InstallOptions, ensureAgent } from './install.ts'
export { type Glance, glance } from './login.ts'
export { type Agent, findAgent, roster } from './roster.ts'
export { installedAgents } from './installed.ts'
export { agentVersion } from './version.ts'
