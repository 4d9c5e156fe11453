/** The only folder that knows plugins exist. What it hands out is guarded and equipped. */
export type { ConnectedProvider } from './connect.ts'
export type { BrokenPlugin, Discovery, FoundProvider } from './discover.ts'
export { type PluginRef, type UserPlugin, userPlugins } from './installed.ts'
export { packageOf } from './known.ts'
export { Registry, discoverPlugins, type RegistryOptions, type SettingState } from './registry.ts'
