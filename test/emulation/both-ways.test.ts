import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { Sessions } from '../../src/contract/index.ts'
import { directSessions } from '../../src/emulation/client/direct.ts'
import type { GuestAttachment } from '../../src/emulation/client/attachment.ts'
import { connectEndpoint } from '../../src/emulation/index.ts'
import { Lab as GuestLab } from '../guest/lab.ts'
import { Lab } from './lab.ts'

type Pace = (done: () => void) => void
type Way = Pick<Sessions, 'start'>

/** More than all windows, pipes and buffers on the way together hold. */
const SIZE = 24_000_000

describe('input and output at once', () => {
  let guest: GuestLab
  let lab: Lab
  let directory: string
  let file: string
  let digest: string
  const ways: Record<string, Way> = {}

  before(async () => {
    guest = await GuestLab.open()
    lab = await Lab.open()
    const endpoint = { unix: join(guest.config.run, 'guest.sock'), nonce: (await guest.hello()).nonce, computer: 'one', provider: 'none' }
    const client = connectEndpoint(endpoint)
    ways['over HTTP/2 on a socket'] = client.sessions
    ways['over HTTP/2 through a bridge'] = (await lab.computer()).sessions
    ways['without HTTP/2'] = directSessions({ endpoint, others: async () => client.sessions, wake: async () => {} })
    directory = await mkdtemp(join(tmpdir(), 'amux-both-'))
    file = join(directory, 'file')
    const hash = createHash('sha256')
    const handle = await open(file, 'w')
    for (let n = 0; n * 1_000_000 < SIZE; n++) {
      const piece = Buffer.alloc(1_000_000, `piece ${n},`)
      hash.update(piece)
      await handle.write(piece)
    }
    await handle.close()
    digest = hash.digest('hex')
  })
  after(async () => {
    guest.close()
    await lab.close()
    await rm(directory, { recursive: true, force: true })
  })

  async function copied(way: Way, argv: readonly string[], pace: Pace): Promise<string> {
    // What these ways give is more than the contract asks for.
    const program = (await way.start(argv)) as GuestAttachment
    const hash = createHash('sha256')
    const sink = new Writable({
      highWaterMark: 64 * 1024,
      write: (chunk: Buffer, _, done) => {
        hash.update(chunk)
        pace(done)
      },
    })
    const feeding = (async () => {
      for await (const chunk of createReadStream(file)) await program.stdin.write(chunk as Buffer)
      await program.stdin.end()
    })()
    const rubbish = new Writable({ write: (_chunk, _encoding, done) => done() })
    await Promise.all([program.pipeTo({ stdout: sink, stderr: rubbish }), feeding])
    expect(await program.exit).to.deep.equal({ code: 0 })
    return hash.digest('hex')
  }

  let chunks = 0
  const paces: Record<string, Pace> = {
    'a fast reader': (done) => done(),
    'a slow reader': (done) => (++chunks % 40 === 0 ? void setTimeout(done, 5) : done()),
  }
  const programs: Record<string, readonly string[]> = {
    'a fast program': ['cat'],
    'a slow program': ['sh', '-c', 'dd bs=65536 count=20 iflag=fullblock 2>/dev/null; sleep 0.3; dd bs=65536 count=20 iflag=fullblock 2>/dev/null; sleep 0.3; exec cat'],
    'a program that says everything twice': ['sh', '-c', 'tee /dev/stderr'],
  }
  for (const way of ['over HTTP/2 on a socket', 'over HTTP/2 through a bridge', 'without HTTP/2']) {
    for (const [reader, pace] of Object.entries(paces)) {
      for (const [program, argv] of Object.entries(programs)) {
        it(`${way}: a file through ${program} to ${reader}`, async () => {
          expect(await copied(ways[way] as Way, argv, pace)).to.equal(digest)
        }).timeout(60_000)
      }
    }

    it(`${way}: one stream flows while nobody reads the other`, async () => {
      const program = await (ways[way] as Way).start(['sh', '-c', 'head -c 20000000 /dev/zero >&2 & head -c 20000000 /dev/zero; wait'])
      let length = 0
      for await (const chunk of program.stdout) if ((length += chunk.length) === 20_000_000) break
      expect(length).to.equal(20_000_000)
      for await (const chunk of program.stderr) length += chunk.length
      expect(length).to.equal(40_000_000)
    }).timeout(60_000)

    it(`${way}: a program in the background is given its whole input`, async () => {
      const program = await (ways[way] as Way).start(['wc', '-c'], { detached: true })
      for await (const chunk of createReadStream(file)) await program.stdin.write(chunk as Buffer)
      await program.stdin.end()
      let text = ''
      for await (const chunk of program.stdout) text += Buffer.from(chunk).toString()
      expect(Number(text)).to.equal(SIZE)
    }).timeout(60_000)
  }
})
