import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Provider } from '../../src/contract/index.ts'
import { Faults, faultyProvider, faultyStream, processProvider, testKit } from '../../src/testkit/index.ts'
import { bytes } from '../../src/util/streams.ts'

describe('faults to inject', () => {
  let directory: string
  let faults: Faults
  let provider: Provider

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'amux-faults-'))
    faults = new Faults()
    const context = { settings: {}, dataDir: directory, progress: () => {}, debug: () => {}, guest: await testKit(), policyText: String }
    provider = faultyProvider(await processProvider.connect(context), faults)
  })
  afterEach(async () => {
    faults.heal()
    for await (const { name } of provider.list()) await (await provider.get(name)).delete()
    rmSync(directory, { recursive: true })
  })

  const create = () => provider.create({ name: 'faulty', labels: {} })

  it('change nothing until told', async () => {
    const computer = await create()
    const program = await computer.spawn(['sh', '-c', 'cat; exit 3'])
    await program.stdin.write(Buffer.from('x'))
    await program.stdin.end()
    expect([await text(program.stdout), await program.exit]).to.deep.equal(['x', { code: 3 }])
    expect((await (await provider.get('faulty')).info()).state).to.equal('running')
  })

  it('fail a call as often as ordered', async () => {
    faults.fail('create', 'quota_exceeded', 2)
    for (let n = 0; n < 2; n++) expect(await create().catch((error: unknown) => error)).to.include({ code: 'quota_exceeded', source: 'provider' })
    expect((await create()).name).to.equal('faulty')
  })

  it('never answer', async () => {
    faults.hang('health')
    const answer = provider.health().then(() => 'answered')
    expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 50, 'silent'))])).to.equal('silent')
    expect((await provider.health()).ok).to.equal(true)
  })

  it('cut what is open, and the program with it', async () => {
    const program = await (await create()).spawn(['cat'])
    const reading = text(program.stdout).catch((error: unknown) => error)
    faults.cut()
    expect(await reading).to.include({ code: 'connection_lost' })
    expect(await program.exit).to.deep.equal({ signal: 'SIGKILL' })
    expect(faults.cuts).to.equal(1)
  })

  it('cut after so many bytes, exactly', async () => {
    faults.cutAfter = 10_000
    const program = await (await create()).spawn(['head', '-c', '1000000', '/dev/zero'])
    let length = 0
    const read = async () => {
      for await (const chunk of program.stdout) length += chunk.length
    }
    expect(await read().catch((error: unknown) => error)).to.include({ code: 'connection_lost' })
    expect(length).to.equal(10_000)
  })

  it('fall silent, and speak again', async () => {
    faults.silent = true
    const stream = faultyStream({ source: bytes(Buffer.from('late')), sink: { write: async () => {}, end: async () => {} }, close: () => {} }, faults)
    const reading = text(stream.source)
    expect(await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 50, 'silent'))])).to.equal('silent')
    faults.heal()
    expect(await reading).to.equal('late')
  })

  it('lie once, and delay', async () => {
    faults.garbage = Buffer.from('lie ')
    faults.delay = 20
    const stream = faultyStream({ source: bytes(Buffer.from('truth')), sink: { write: async () => {}, end: async () => {} }, close: () => {} }, faults)
    expect(await text(stream.source)).to.equal('lie truth')
  })
})

async function text(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of source) parts.push(chunk)
  return Buffer.concat(parts).toString()
}
