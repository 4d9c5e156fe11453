import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { describe, it } from 'mocha'

const dir = join(import.meta.dirname, '../../src/guest/native')
const machines = { x64: 62, arm64: 183 } as const
const INTERPRETER = 3

describe('guest: the native supervisor', () => {
  it('was built from these sources', () => {
    const sources = readdirSync(dir).filter((name) => /\.[ch]$|^build\.sh$/.test(name)).toSorted()
    const manifest = sources.map((name) => `${createHash('sha256').update(readFileSync(join(dir, name))).digest('hex')}  ${name}\n`)
    const built = readFileSync(join(dir, 'prebuilt/sources.sha256'), 'utf8').trim().split('\n').map((line) => `${line}\n`)
    expect(built.toSorted(), 'run src/guest/native/build.sh').to.deep.equal(manifest.toSorted())
  })

  for (const [arch, machine] of Object.entries(machines)) {
    it(`is small and needs no library on ${arch}`, () => {
      const binary = readFileSync(join(dir, `prebuilt/amux-init-linux-${arch}`))
      expect(binary.readUInt16LE(18)).to.equal(machine)
      const table = Number(binary.readBigUInt64LE(32))
      const types = Array.from({ length: binary.readUInt16LE(56) }, (_, index) => binary.readUInt32LE(table + index * binary.readUInt16LE(54)))
      expect(types).not.to.include(INTERPRETER)
      expect(binary.length).to.be.lessThan(200_000)
    })
  }
})
