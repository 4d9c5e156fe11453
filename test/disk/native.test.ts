import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const native = join(import.meta.dirname, '../../src/emulation/native')
const ELF_MACHINE = { x64: 62, arm64: 183 } as const

for (const tool of ['disk', 'net']) {
  describe(`the binaries of amux-${tool}`, () => {
    it(`were built from the sources as they are: run src/emulation/native/build.sh ${tool}`, () => {
      const listed = readFileSync(join(native, `prebuilt/amux-${tool}.sha256`), 'utf8').trim().split('\n').toSorted()
      const sources = ['common', tool].flatMap((folder) => readdirSync(join(native, folder)).filter((name) => /\.[ch]$/.test(name)).map((name) => `${folder}/${name}`))
      expect(listed).to.deep.equal(sources.map((name) => `${createHash('sha256').update(readFileSync(join(native, name))).digest('hex')}  ${name}`).toSorted())
    })

    it('are there for both architectures, small and static', () => {
      for (const [arch, machine] of Object.entries(ELF_MACHINE)) {
        const path = join(native, `prebuilt/linux-${arch}/amux-${tool}`)
        const bytes = readFileSync(path)
        expect(bytes.readUInt16LE(18), arch).to.equal(machine)
        expect(bytes.includes('/ld-'), 'it names a loader').to.equal(false)
        expect(statSync(path).mode & 0o111, 'executable').to.equal(0o111)
        expect(bytes.length).to.be.lessThan(300_000)
      }
    })
  })
}
