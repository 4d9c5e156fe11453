/** What computers are on a machine where something is missing: `node lacking.ts DATA STEP`. */
import { writeFile } from 'node:fs/promises'
import { layout } from '../src/layout.ts'
import { readMeta } from '../src/meta.ts'
import { bench, sh } from './support.ts'

const [, , dataDir = '', step] = process.argv
const local = await bench(dataDir)
const policy = { rules: [{ domain: 'good.test', action: 'allow' } as const] }
const tell = (value: unknown) => console.log(JSON.stringify(value))

if (step === 'make') {
  for (const name of ['open', 'fenced']) await (await local.create({ name, ...(name === 'fenced' && { network: { policy } }) })).stop()
  const old = await local.create({ name: 'old' })
  await old.stop()
  // As it was recorded before computers had networks.
  const place = layout(dataDir, 'old')
  const { network: _, ...meta } = await readMeta(place)
  await writeFile(place.meta, JSON.stringify(meta))
}
if (step === 'look') {
  for (const name of ['open', 'fenced', 'old']) {
    const computer = await local.provider.get(name)
    const started = await computer.start().then(() => 'started', (error: Error & { code?: string; hint?: string }) => `${error.code}: ${error.message}. ${error.hint}`)
    const { details, capabilities } = await computer.info()
    tell([name, started, details?.['network'], capabilities?.network?.note ?? '', capabilities?.network?.workaround ?? ''])
    if (name === 'old' && started === 'started') tell(['seen', await sh(computer, 'readlink /proc/self/ns/net')])
  }
  tell(['health', (await local.provider.health()).details])
  const made = await local.create({ name: 'made' }).then(async (computer) => (await computer.info()).details?.['network'], (error: Error) => error.message)
  tell(['made', made])
  tell(['fence', await local.create({ network: { policy } }).then(() => 'made', (error: Error) => error.message)])
}
if (step === 'end') await local.end()
process.exit(0)
