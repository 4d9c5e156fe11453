import { configFiles } from './files.ts'
import { paths, privateDir } from './paths.ts'

/** A setting of one provider, as the user gives it. */
export interface SettingValue {
  readonly key: string
  readonly value: string
  readonly secret: boolean
}

interface Writer {
  set(key: string, value: unknown): void
  delete(key: string): void
}

/** Writes them beside what is there, whoever put it there. conf is loaded for this alone: readers parse the file. */
export async function saveProvider(id: string, values: readonly SettingValue[]): Promise<void> {
  const [settings, credentials] = await Promise.all([open(configFiles.settings), open(configFiles.credentials)])
  for (const { key, value, secret } of values) {
    if (secret) credentials.set(`${id}.${key}`, value)
    else settings.set(`providers.${id}.${key}`, value)
  }
}

/** Forgets what `saveProvider` wrote. */
export async function forgetProvider(id: string): Promise<void> {
  const [settings, credentials] = await Promise.all([open(configFiles.settings), open(configFiles.credentials)])
  settings.delete(`providers.${id}`)
  credentials.delete(id)
}

async function open(configName: string): Promise<Writer> {
  const { default: Conf } = await import('conf')
  return new Conf({ cwd: privateDir(paths().config), configName, configFileMode: 0o600, projectName: 'amux', serialize: (value) => `${JSON.stringify(value, undefined, 2)}\n` })
}
