import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { paths, privateDir, runtimeDir } from '../../src/config/index.ts'
import { hasCode } from '../../src/errors/index.ts'

describe('Where amux keeps its files', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amux-paths-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('is below AMUX_HOME, all of it', () => {
    expect(paths({ AMUX_HOME: '/x', XDG_DATA_HOME: '/y' })).to.deep.equal({ config: '/x/config', data: '/x/data', state: '/x/state', cache: '/x/cache', run: '/x/run' })
  })

  it('follows XDG, and passes over what XDG says to pass over', () => {
    const found = paths({ HOME: '/home/me', XDG_CONFIG_HOME: '/elsewhere', XDG_DATA_HOME: 'relative', XDG_RUNTIME_DIR: '/nowhere' })
    expect(found).to.include({ config: '/elsewhere/amux', data: '/home/me/.local/share/amux', state: '/home/me/.local/state/amux', cache: '/home/me/.cache/amux' })
    expect(found.run).to.equal(join(tmpdir(), `amux-${userInfo().uid}`))
  })

  it('is a runtime directory that only the user enters', () => {
    expect(runtimeDir({ AMUX_HOME: directory })).to.equal(join(directory, 'run'))
    expect(paths({ XDG_RUNTIME_DIR: directory }).run).to.equal(join(directory, 'amux'))
  })

  it('is refused where others may write, or a link leads elsewhere', async () => {
    const shared = join(directory, 'shared')
    await mkdir(shared)
    await chmod(shared, 0o777)
    await symlink(shared, join(directory, 'link'))
    for (const path of [shared, join(directory, 'link')]) {
      expect(() => privateDir(path)).to.throw().that.satisfies((error: unknown) => hasCode(error, 'permission_denied'))
    }
  })
})
