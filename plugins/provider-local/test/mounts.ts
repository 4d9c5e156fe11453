/** Works with a computer while /opt is a file system of its own: `node mounts.ts DATA`. */
import { readdirSync } from 'node:fs'
import { bench, finish, sh } from './support.ts'

const local = await bench(process.argv[2])
const computer = await local.create()
await sh(computer, 'echo mine > /opt/shared/own', { user: 'root' })
await computer.stop()
await computer.start()
console.log(await sh(computer, 'cat /opt/shared/file /opt/shared/own; cat /opt/private/file 2>/dev/null || echo no secret', { user: 'root' }))
const program = await computer.aside?.(['cat', '/computer/opt/shared/own'], { root: true })
if (program) console.log(`aside: ${(await finish(program)).stdout.trim()}`)
const tree = (await computer.disk?.())?.find(({ name }) => name === 'system-opt')
const seen = await computer.aside?.(['cat', `${tree?.path}/shared/own`, `${tree?.base}/shared/file`], { disk: 'read' })
if (seen) console.log(`tree of ${tree?.at}: ${(await finish(seen)).stdout.trim().replace('\n', ' ')}`)
if (!readdirSync('/opt/shared').includes('own')) console.log('untouched')
await local.end()
