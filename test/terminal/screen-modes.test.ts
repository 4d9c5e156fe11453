import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ScreenModes } from '../../src/terminal/screen-modes.ts'

const ESC = '\u001b'

function undo(text: string, piece = text.length): string {
  const modes = new ScreenModes()
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += piece) modes.feed(bytes.subarray(at, at + piece))
  return modes.undo()
}

describe('undoing what a program did to the terminal', () => {
  it('does nothing for programs that did nothing lasting', () => {
    expect(undo('plain\r\ntext')).to.equal('')
    expect(undo(`${ESC}[1;31mred${ESC}[0m ${ESC}[32mgreen${ESC}[m${ESC}[H${ESC}[2J`)).to.equal('')
    expect(undo(`${ESC}[?1049h${ESC}[?25l drawn ${ESC}[?25h${ESC}[?1049l`)).to.equal('')
    expect(undo(`${ESC}]8;;http://x${ESC}\\link${ESC}]8;;${ESC}\\`)).to.equal('')
    expect(undo(`${ESC}]0;title\u0007`)).to.equal('')
  })

  it('undoes exactly what was left behind', () => {
    expect(undo(`${ESC}[?1049h${ESC}[?25l`)).to.equal(`${ESC}[?1049l${ESC}[?25h`)
    expect(undo(`${ESC}[?1000;1006h${ESC}[?2004h`)).to.equal(`${ESC}[?1000l${ESC}[?1006l${ESC}[?2004l`)
    expect(undo(`${ESC}[1;31mred`)).to.equal(`${ESC}[0m`)
    expect(undo(`${ESC}[?7l`)).to.equal(`${ESC}[?7h`)
    expect(undo(`${ESC}=`)).to.equal(`${ESC}>`)
    expect(undo(`${ESC}(0lqk`)).to.equal(`${ESC}(B`)
    expect(undo('\u000e')).to.equal('\u000f')
    expect(undo(`${ESC}[4h`)).to.equal(`${ESC}[4l`)
    expect(undo(`${ESC}[2 q`)).to.equal(`${ESC}[0 q`)
    expect(undo(`${ESC}[>4;2m`)).to.equal(`${ESC}[>4;0m`)
    expect(undo(`${ESC}]8;;http://x${ESC}\\link`)).to.equal(`${ESC}]8;;${ESC}\\`)
    expect(undo(`${ESC}]11;#000000\u0007`)).to.equal(`${ESC}]111${ESC}\\`)
  })

  it('leaves the cursor where it is when it gives back the scroll region', () => {
    expect(undo(`${ESC}[3;20r`)).to.equal(`${ESC}7${ESC}[r${ESC}8`)
    expect(undo(`${ESC}[3;20r${ESC}[r`)).to.equal('')
  })

  it('pops keyboard modes on the screen they were pushed on', () => {
    expect(undo(`${ESC}[>1u${ESC}[?1049h${ESC}[>1u${ESC}[>5u`)).to.equal(`${ESC}[<2u${ESC}[?1049l${ESC}[<1u`)
    expect(undo(`${ESC}[>1u${ESC}[<u`)).to.equal('')
    expect(undo(`${ESC}[>1u${ESC}[<5u`)).to.equal('')
    expect(undo(`${ESC}[=3;1u`)).to.equal(`${ESC}[=0u`)
  })

  it('ends a sequence that was cut in the middle', () => {
    expect(undo(`${ESC}]0;half a tit`)).to.equal('\u0018')
    expect(undo(`${ESC}[12;`)).to.equal('\u0018')
    expect(undo(`${ESC}P1000p not over`)).to.equal('\u0018')
  })

  it('forgets everything at a reset', () => {
    expect(undo(`${ESC}[?1049h${ESC}[1m${ESC}[>1u${ESC}c`)).to.equal('')
    expect(undo(`${ESC}[1m${ESC}[4h${ESC}[?25l${ESC}[!p`)).to.equal('')
  })

  it('does not care how the bytes are cut', () => {
    const text = `a${ESC}[?1049h${ESC}]8;;http://x${ESC}\\${ESC}[>1u${ESC}[38;5;3m${ESC}(0${ESC}[?1003;1006h${ESC}P+q544e${ESC}\\${ESC}[2;9r`
    for (const piece of [1, 2, 3, 7]) expect(undo(text, piece)).to.equal(undo(text))
  })

  it('can take the modes up again after a pause', () => {
    const modes = new ScreenModes()
    modes.feed(Buffer.from(`${ESC}[?1049h${ESC}[?25l${ESC}[?1000h`))
    expect(modes.redo()).to.equal(`${ESC}[?1049h${ESC}[?1000h${ESC}[?25l`)
  })
})
