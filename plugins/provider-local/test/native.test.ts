import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const native = join(import.meta.dirname, '../native')
const ELF_MACHINE = { x64: 62, arm64: 183 } as const

describe('the native helper of the local provider', () => {
  it('was built from the sources as they are: run plugins/provider-local/native/build.sh', () => {
    const listed = new Map(
      readFileSync(join(native, 'prebuilt/sources.sha256'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('  '))
        .map(([hash, name]) => [(name ?? '').replace(/^\.\//, ''), hash]),
    )
    const shared = ['text.c', 'text.h'].map((name) => `../../../../src/emulation/native/common/${name}`)
    const sources = readdirSync(join(native, 'src')).concat(shared)
    expect([...listed.keys()]).to.have.members(sources)
    for (const name of sources) {
      expect(createHash('sha256').update(readFileSync(join(native, 'src', name))).digest('hex'), name).to.equal(listed.get(name))
    }
  })

  it('is there for both architectures, small and static', () => {
    for (const [arch, machine] of Object.entries(ELF_MACHINE)) {
      const path = join(native, `prebuilt/amux-box-linux-${arch}`)
      const bytes = readFileSync(path)
      expect(bytes.readUInt16LE(18), arch).to.equal(machine)
      expect(bytes.includes('/ld-'), 'it names a loader').to.equal(false)
      expect(statSync(path).mode & 0o111, 'executable').to.equal(0o111)
      expect(bytes.length).to.be.lessThan(250_000)
    }
  })
})
