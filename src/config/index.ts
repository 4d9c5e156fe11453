/** Where amux keeps things on this machine, and what the user set. */
export { type EnvironmentFlags, environment } from './environment.ts'
export { type Paths, paths, privateDir, providerDirectory, runtimeDir } from './paths.ts'
export { type LegacyVariables, type ProviderSettings, Settings } from './settings.ts'
export { type SettingValue, forgetProvider, saveProvider } from './write.ts'
export { type UnfinishedFork, forgetUnfinished, noteUnfinished, unfinishedFile, unfinishedFork } from './unfinished.ts'
