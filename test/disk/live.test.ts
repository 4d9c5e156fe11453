import { expect } from 'chai'
import { describe, it } from 'mocha'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Place } from './place.ts'

/** Creates with a pause; `still` runs between `ready` and `go`. */
async function paused(place: Place, still: () => void, after: () => void = () => {}, more: readonly string[] = []): Promise<string> {
  const child = place.start(['create', 'v', '{}', '--pause'])
  const ended = once(child, 'exit')
  child.stdin?.write(place.request([], more))
  let id = ''
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line === 'ready') {
      still()
      child.stdin?.write('go\n')
    }
    if (line === 'still') after()
    if (line.startsWith('done\t')) id = String((JSON.parse(line.slice(5)) as { id: string }).id)
  }
  await ended
  return id
}

describe('amux-disk, live', () => {
  it('holds one moment of files that a program writes in order at full speed', async () => {
    using place = new Place()
    place.sh('mkdir many; for i in $(seq 300); do echo $i > many/f$i; done')
    const writer = spawn('python3', ['-c', 'i = 0\nwhile True:\n  i += 1\n  for name in ("first", "second", "many/f%d" % (i % 300)): open(name, "w").write("%d %s" % (i, "x" * (i % 5000)))'], { cwd: place.home })
    try {
      for (let round = 0; round < 3; round++) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        const id = await paused(place, () => writer.kill('SIGSTOP'), () => writer.kill('SIGCONT'))
        const number = (path: string) => Number(place.try(['cat', id, path]).stdout.toString().split(' ')[0] ?? Number.NaN)
        const [first, second] = [number('/home/amux/first'), number('/home/amux/second')]
        // A file is emptied before it is written: that may be the moment.
        if (first > 0 && second > 0) expect(first - second, `${first} ${second}`).to.be.within(0, 1)
      }
    } finally {
      writer.kill('SIGKILL')
    }
  })

  it('sees what a program wrote through a mapping, whose times tell nothing', async () => {
    using place = new Place()
    const script = `
import mmap, sys
f = open('mapped', 'r+b'); m = mmap.mmap(f.fileno(), 0); m[0:1] = b'1'
print('on', flush=True)
for line in sys.stdin:
  m[0:1] = line[:1].encode(); print('on', flush=True)`
    place.sh('head -c 100000 /dev/zero > mapped')
    const mapper = spawn('python3', ['-c', script], { cwd: place.home, stdio: ['pipe', 'pipe', 'inherit'] })
    try {
      const lines = createInterface({ input: mapper.stdout })[Symbol.asyncIterator]()
      await lines.next()
      place.sh('sleep 0.2')
      await paused(place, () => {}, () => {}, ['processes\t/proc'])
      mapper.stdin.write('2\n')
      await lines.next()
      const id = await paused(place, () => {}, () => {}, ['processes\t/proc'])
      expect(place.try(['cat', id, '/home/amux/mapped']).stdout[0]).to.equal('2'.charCodeAt(0))
    } finally {
      mapper.kill('SIGKILL')
    }
  })

  it('does not mind files and directories that vanish while it looks', async () => {
    using place = new Place()
    const churn = spawn('bash', ['-c', 'while :; do mkdir -p a/b/c; for i in 1 2 3 4 5 6 7 8 9; do echo $i > a/b/c/$i; done; rm -rf a; done'], { cwd: place.home, stdio: 'ignore' })
    try {
      for (let round = 0; round < 20; round++) place.create()
      expect(place.try(['verify']).stdout.toString()).to.equal('sound\n')
    } finally {
      churn.kill('SIGKILL')
    }
  })

  it('leaves nothing when the caller goes before `go`', async () => {
    using place = new Place()
    place.sh('head -c 3000000 /dev/urandom > f')
    const child = place.start(['create', 'v', '{}', '--pause'])
    child.stdin?.end(place.request())
    child.stdout?.resume()
    expect((await once(child, 'exit'))[0]).to.equal(1)
    expect([place.ids(), place.packs()]).to.deep.equal([[], []])
    expect(place.create()).to.equal('v1')
  })

  it('lets one at a time change the store, and says that it waits', async () => {
    using place = new Place()
    place.sh('echo 1 > f')
    const child = place.start(['create', 'v', '{}', '--pause'])
    child.stdin?.write(place.request())
    await once(child.stdout!, 'data')
    const busy = place.try(['create', 'v', '{}', '--wait', '1'])
    expect(busy.failure).to.include({ number: 16, step: 'busy' })
    expect(busy.stdout.toString()).to.match(/^waiting\n/)
    expect(place.try(['restore', 'v1', '{}', '--wait', '0']).failure?.step).to.equal('busy')
    const second = place.start(['create', 'v', '{}'])
    second.stdin?.end(place.request())
    const [text] = (await once(second.stdout!, 'data')) as [Buffer]
    expect(text.toString()).to.equal('waiting\n')
    child.stdin?.write('go\n')
    await Promise.all([once(child, 'exit'), once(second, 'exit')])
    expect(place.ids()).to.deep.equal(['v2', 'v1'])
  })
})
