/** Makes one computer, to be killed on the way: `node create.ts DATA NAME`. */
import { bench } from './support.ts'

const [, , dataDir, name] = process.argv
const local = await bench(dataDir)
process.stdout.write('begin\n')
await local.create({ name: name ?? '' })
