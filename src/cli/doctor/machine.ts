import { accessSync, constants } from 'node:fs'
import { Settings, paths, privateDir, runtimeDir } from '../../config/index.ts'
import { type Finding, ok, trouble } from './finding.ts'

const OLDEST = [22, 12] as const

/** This machine: Node, amux's directories, the user's files. */
export function checkMachine(): Finding[] {
  return [checkNode(), ...checkDirectories(), checkSettings()]
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const fits = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
  if (fits) return ok('node', `Node ${process.versions.node}`)
  return { check: 'node', state: 'broken', message: `Node ${process.versions.node} is too old`, hint: `Install Node ${OLDEST.join('.')} or newer.` }
}

function checkDirectories(): Finding[] {
  const { config, data, state, cache } = paths()
  const makers = { config: () => privateDir(config), data: () => privateDir(data), state: () => privateDir(state), cache: () => privateDir(cache), run: runtimeDir }
  return Object.entries(makers).map(([name, make]) => {
    const check = `${name} directory`
    try {
      const path = make()
      accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
      return ok(check, path)
    } catch (error) {
      return trouble(check, error)
    }
  })
}

function checkSettings(): Finding {
  try {
    new Settings().check()
    return ok('settings', 'readable')
  } catch (error) {
    return trouble('settings', error)
  }
}
