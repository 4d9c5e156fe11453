import headless from '@xterm/headless'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createScreen, type Screen } from '../../src/guest/screen/index.ts'
import { internalsOf } from '../../src/guest/screen/internals.ts'
import { Screen as RawScreen } from '../../src/guest/screen/screen.ts'
import { TERMINAL_RESET } from '../../src/protocol/index.ts'
import { feed, stateOf, witness } from './screen-tools.ts'

const size = { cols: 30, rows: 6 }

async function screenOf(bytes: string | Uint8Array, reply: (bytes: Uint8Array) => void = () => undefined): Promise<Screen> {
  const screen = await createScreen(size, reply)
  screen.write(Buffer.from(bytes))
  await screen.flush()
  return screen
}

const textOf = async (screen: Screen, dimensions = size): Promise<string> => {
  const viewer = witness(dimensions)
  await feed(viewer, screen.paint())
  const { buffer } = viewer.terminal
  return Array.from({ length: buffer.active.length }, (_, row) => buffer.active.getLine(row)?.translateToString(true)).join('\n').trim()
}

describe('the terminal model', () => {
  it('knows the library it is built with', () => {
    expect(internalsOf(new headless.Terminal({ allowProposedApi: true }))).not.to.equal(undefined)
  })

  it('falls back to the library\'s own picture with another', async () => {
    const other = new headless.Terminal({ allowProposedApi: true })
    Reflect.set(Reflect.get(other, '_core') as object, '_oscLinkService', undefined)
    expect(internalsOf(other)).to.equal(undefined)
    const screen = new RawScreen(other, undefined, (scrollback) => `library ${scrollback}`)
    expect(Buffer.from(screen.paint(7)).toString()).to.equal('library 7')
  })

  it('tells how far it is behind, and catches up', async () => {
    const screen = await createScreen(size, () => undefined)
    const bytes = Buffer.from('0123456789\r\n'.repeat(100_000))
    screen.write(bytes)
    expect(screen.pending).to.equal(bytes.length)
    await screen.flush()
    expect(screen.pending).to.equal(0)
    expect(await textOf(screen)).to.match(/^(0123456789\n)+0123456789$/)
    screen.dispose()
  })

  it('keeps and paints as many lines as asked for', async () => {
    const screen = await screenOf(Array.from({ length: 5000 }, (_, at) => `line ${at}`).join('\r\n'))
    const rows = async (lines?: number): Promise<number> => {
      const viewer = witness(size)
      await feed(viewer, screen.paint(lines))
      return viewer.terminal.buffer.active.length
    }
    expect(await rows(0)).to.equal(size.rows)
    expect(await rows(10)).to.equal(size.rows + 10)
    expect(await rows()).to.equal(size.rows + 1000)
    expect(await rows(99_999)).to.equal(size.rows + 2000)
  })

  it('changes its size between what was written before and after', async () => {
    const screen = await createScreen(size, () => undefined)
    screen.write(Buffer.from('x'.repeat(40)))
    screen.resize({ cols: 20, rows: 8 })
    screen.write(Buffer.from(`\r\n${'y'.repeat(25)}`))
    await screen.flush()
    const truth = witness(size)
    await feed(truth, 'x'.repeat(40))
    truth.terminal.resize(20, 8)
    await feed(truth, `\r\n${'y'.repeat(25)}`)
    const viewer = witness({ cols: 20, rows: 8 })
    await feed(viewer, screen.paint())
    expect(stateOf(viewer)).to.deep.equal(stateOf(truth))
  })

  it('answers what a program asks of its terminal', async () => {
    let answers = ''
    await screenOf('ab\x1b[c\x1b[>c\x1b[6n\x1b[?2026$p\x1b[18t', (bytes) => (answers += Buffer.from(bytes).toString()))
    expect(answers).to.equal('\x1b[?1;2c\x1b[>0;276;0c\x1b[1;3R\x1b[?2026;2$y\x1b[8;6;30t')
  })

  it('never answers with what would let a program type', async () => {
    let answers = ''
    await screenOf('\x1b]2;rm -rf\x07\x1b[21t\x1b[20t\x1b]4;1;?\x07\x1b]11;?\x07\x1b[?u\x1b[>q\x1bP+q544e\x1b\\', (bytes) => (answers += Buffer.from(bytes).toString()))
    expect(answers).to.equal('')
  })

  it('goes on where the library would throw', async () => {
    const screen = await screenOf(`one\r\ntwo\x1b[6;30Hx\x1b[1Jnext`)
    expect(await textOf(screen)).to.equal('next')
    const alternate = await screenOf(`\x1b[?1049hone\r\ntwo\x1b[6;30Hx\x1b[1J\x1b[Hnext`)
    expect(await textOf(alternate)).to.equal('next')
  })

  it('is not upset by anything', async () => {
    let state = 7
    const bytes = Buffer.from(Array.from({ length: 200_000 }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24))
    const screen = await screenOf(bytes)
    screen.write(Buffer.from('\x18\x1b\\\x1bc\x1b[Hstill here'))
    await screen.flush()
    expect(await textOf(screen)).to.equal('still here')
  })

  it('is painted inside a sequence or a character so that the rest completes it', async () => {
    for (const whole of ['\x1b[1;31mred', '漢字', '🎉!', '\x1b]2;title\x07x', '\x1b]8;;http://a/b\x1b\\link', '\x1bP$q"p\x1b\\x', '\x1b(0qqq', 'e\u0301']) {
      const bytes = Buffer.from(`before ${whole}`)
      for (let cut = 7; cut <= bytes.length; cut++) {
        const truth = witness(size)
        await feed(truth, bytes)
        const viewer = witness(size)
        await feed(viewer, (await screenOf(bytes.subarray(0, cut))).paint())
        await feed(viewer, bytes.subarray(cut))
        expect(stateOf(viewer), `${JSON.stringify(whole)} cut at ${cut}`).to.deep.equal(stateOf(truth))
      }
    }
  })

  it('prints nothing of a long sequence that is still under way', async () => {
    const screen = await screenOf(`shown\x1b]52;c;${'A'.repeat(900_000)}`)
    const picture = screen.paint()
    expect(picture.length).to.be.lessThan(20_000)
    const viewer = witness(size)
    await feed(viewer, picture)
    await feed(viewer, `${'A'.repeat(1000)}\x07 and more`)
    expect(viewer.terminal.buffer.active.getLine(0)?.translateToString(true)).to.equal('shown and more')
  })

  it('does nothing once it is disposed of', async () => {
    const screen = await screenOf('text')
    screen.dispose()
    screen.write(Buffer.from('more'))
    screen.resize({ cols: 10, rows: 3 })
    await screen.flush()
  })

  it('is disposed of while a new size and more words are on their way', async () => {
    const screen = await screenOf('text')
    screen.resize({ cols: 10, rows: 3 })
    screen.write(Buffer.from('more\r\n'.repeat(100)))
    screen.dispose()
    while (screen.pending > 0) await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('the reset of a terminal', () => {
  it('leaves a fresh terminal, and its cursor, as they were', async () => {
    const one = witness(size)
    const other = witness(size)
    await feed(one, 'text\r\nmore')
    await feed(other, 'text\r\nmore')
    await feed(one, TERMINAL_RESET)
    const { normal, ...rest } = stateOf(one)
    const { normal: before, ...others } = stateOf(other)
    expect(rest).to.deep.equal(others)
    expect((normal as { rows: string[] }).rows).to.deep.equal((before as { rows: string[] }).rows)
  })
})
