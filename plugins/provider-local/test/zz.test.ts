import { it, after } from 'mocha'
import { mkdtempSync } from 'node:fs'
import { equip } from '/work/main/src/emulation/index.ts'
import { testKit } from '/work/main/src/testkit/kit.ts'
import { descriptor } from '/work/main/plugins/provider-local/src/register.ts'
it('x', async function () {
  this.timeout(60000)
  const kit = await testKit()
  const ctx = { settings: {}, dataDir: mkdtempSync('/tmp/h4-'), progress: (m: string) => console.error('..', m), debug() {}, guest: kit }
  const p = await descriptor.connect(ctx)
  await kit.node('x64'); await p.health()
  const t = performance.now()
  const raw = await p.create({ name: 'two', labels: {}, env: { FOO: 'x y' } })
  console.log('create', performance.now() - t)
  const c = equip(raw, { descriptor, kit })
  const pr = await c.spawn(['sh', '-c', 'id; echo $FOO; cat /etc/hosts; echo $PATH'])
  let o = ''
  for await (const x of pr.stdout) o += Buffer.from(x)
  console.log(o, await pr.exit, performance.now() - t)
  console.log(await c.capabilities())
  await c.close()
  await c.delete()
})
