import { expect } from 'chai'
import { describe, it } from 'mocha'
import { feed, picture, stateOf, witness } from './screen-tools.ts'

const size = { cols: 40, rows: 12 }
const lines = (count: number): string => Array.from({ length: count }, (_, at) => `line ${at}`).join('\r\n')

/** Each leaves a terminal in a state that a careless picture would lose. */
const states: Readonly<Record<string, string>> = {
  nothing: '',
  'plain text': 'hello\r\nworld',
  'scrolled text': lines(50),
  'the basic colours': Array.from({ length: 8 }, (_, at) => `\x1b[3${at}m#\x1b[9${at}m#\x1b[4${at}m#\x1b[10${at}m#`).join(''),
  '256 and true colours': '\x1b[38;5;196mred\x1b[48;5;22mgreen\x1b[38;2;1;2;3m\x1b[48;2;250;251;252mtrue\x1b[0m.',
  'every attribute': '\x1b[1mb\x1b[0;2md\x1b[0;3mi\x1b[0;4mu\x1b[0;5mk\x1b[0;7mr\x1b[0;8mh\x1b[0;9ms\x1b[0;53mo\x1b[0;1;2;3;4;5;7;9mall',
  'dim, then bold': '\x1b[2mdim\x1b[22;1mbold\x1b[2mboth',
  underlines: '\x1b[4:1ma\x1b[4:2mb\x1b[4:3mc\x1b[4:4md\x1b[4:5me\x1b[58:2::9:8:7mf\x1b[58:5:99mg\x1b[59mh\x1b[24m',
  'underline colour without underline': '\x1b[58:5:12mx',
  'an attribute left on': 'a\x1b[1;31mb',
  'wide characters': '漢字かな交じり文と絵文字🎉を並べる長い行はどこかで折り返されるはずです',
  'a wide character that does not fit': `${'x'.repeat(39)}漢字`,
  'a coloured wide character that does not fit': `${'x'.repeat(39)}\x1b[41m漢字`,
  'combining marks': 'e\u0301 n\u0303 a\u0300\u0301\u0302 \u{1F468}\u200d\u{1F469} ok',
  'a wrapped line': 'word '.repeat(30),
  'a wrapped line, its first row shortened': `${'y'.repeat(60)}\x1b[A\x1b[10G\x1b[K\x1b[B`,
  'a wrapped line, its second row begins blank': `${'y'.repeat(60)}\x1b[1G\x1b[5X\x1b[20G`,
  'a wrapped line over scrolled rows': `${lines(20)}\r\n${'z'.repeat(95)}\x1b[A\x1b[30G\x1b[K`,
  'pending wrap': 'x'.repeat(40),
  'pending wrap in colour': `${'x'.repeat(38)}\x1b[32m漢\x1b[0m`,
  'pending wrap on the last row': `\x1b[12;1H${'q'.repeat(40)}`,
  'background beyond the text': '\x1b[44mblue\x1b[K\r\nnext\x1b[J',
  'background alone': '\x1b[45m\x1b[2J\x1b[5;5H',
  'erased stretches': `${'a'.repeat(40)}\x1b[1;5H\x1b[41m\x1b[7X\x1b[1;20H\x1b[0m\x1b[3X`,
  'an insert that pushed blanks': 'abc\x1b[1;1H\x1b[7m\x1b[4h   \x1b[4l',
  'the alternate screen': `shell$ vi\r\n\x1b[31m\x1b[?1049h\x1b[2J\x1b[Hin vi\x1b[5;5H`,
  'the alternate screen over scrolled text': `${lines(40)}\x1b[3;4H\x1b[?1049h\x1b[H\x1b[7mstatus\x1b[K\x1b[0m`,
  'the alternate screen entered in colour': '\x1b[41mred\x1b[?1049h\x1b[2;2Hx',
  'the alternate screen by 1047': 'before\x1b7\x1b[?1047h\x1b[Hafter',
  'back from the alternate screen': 'one\x1b[?1049htwo\x1b[?1049lthree',
  'a scroll region': `${lines(12)}\x1b[3;9r\x1b[9;1H`,
  'a scroll region in the alternate screen': '\x1b[?1049h\x1b[2;11r\x1b[11;1Htext\r\nmore',
  'a saved cursor': '\x1b[5;6H\x1b[1;36m\x1b7\x1b[0m\x1b[Hhome',
  'a saved cursor of each screen': '\x1b[2;3H\x1b7\x1b[?1049h\x1b[7;8H\x1b[35m\x1b7\x1b[H',
  'origin mode': '\x1b[3;9r\x1b[?6h\x1b[2;5Hhere',
  'own tab stops': '\x1b[3g\x1b[5G\x1bH\x1b[20G\x1bH\x1b[1G\ta\tb',
  'keys and paste': '\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h',
  'insert mode': 'abc\x1b[4h\x1b[1;2H',
  'no wrapping': '\x1b[?7labc',
  'no wrapping, at the edge': `\x1b[?7l${'m'.repeat(50)}`,
  'reverse wrap': '\x1b[?45h',
  'newline mode': '\x1b[20hone\ntwo',
  'mouse, clicks': '\x1b[?1000h\x1b[?1006h',
  'mouse, any motion in pixels': '\x1b[?1003h\x1b[?1016h',
  'mouse, old style': '\x1b[?9h',
  'modes the model does not know': '\x1b[?1007h\x1b[?2031h\x1b[?2048h\x1b[?5h',
  'wheel mode refused': '\x1b[?1007l',
  'no cursor': '\x1b[?25l',
  'cursor shapes': '\x1b[5 q',
  'a steady underline cursor': '\x1b[4 q',
  'a blinking cursor': '\x1b[?12h',
  'kitty keyboard': '\x1b[>1u\x1b[>5u\x1b[=3;2u',
  'kitty keyboard of both screens': '\x1b[>1u\x1b[?1049h\x1b[>7u\x1b[>15u\x1b[<u',
  'kitty keyboard, base': '\x1b[=5u',
  modifyOtherKeys: '\x1b[>4;2m',
  'a title': '\x1b]2;my title ü\x07',
  'a title put back': '\x1b]2;one\x07\x1b[22;2t\x1b]2;two\x07\x1b[23;2t',
  links: 'see \x1b]8;id=a;https://example.org/?a;b\x1b\\here\x1b]8;;\x1b\\ and \x1b]8;;https://example.net\x1b\\there',
  'a link over two rows': `\x1b]8;;https://example.net\x1b\\${'l'.repeat(50)}\x1b]8;;\x1b\\`,
  'an underlined link': '\x1b]8;;https://example.net\x1b\\\x1b[4mu\x1b[0m\x1b]8;;\x1b\\',
  'line drawing': '\x1b(0lqqk\x1b(B plain',
  'line drawing left on': '\x1b(0lqq',
  'line drawing in G1': '\x1b)0\x0elqk',
  'line drawing designated': '\x1b)0abc',
  'British in G2': '\x1b*A\x1bn#',
  'line drawing saved': '\x1b(0\x1b[2;2H\x1b7\x1b(B\x1b[Hx',
  'guarded cells': '\x1b[1"qkeep\x1b[0"q lose',
  colours: '\x1b]4;1;rgb:12/34/56;2;#abcdef\x07\x1b]11;#102030\x07\x1b]10;#fff;#000\x07\x1b]110\x07',
  'a synchronized update': '\x1b[?2026hhalf',
  everything: `${lines(30)}\x1b[?1049h\x1b[2;10r\x1b[1;35;44m\x1b[?1003h\x1b[?1006h\x1b[?25l\x1b[3 q\x1b]2;t\x07\x1b[?2004h${'漢'.repeat(30)}\x1b[>3u`,
}

/** Something that every part of a terminal's state has a say in. */
const probe = `A\x1b8B\x1b[0mC\tD\r\n\x1b[20;20HE\x0fF${'漢g'.repeat(20)}\n\n\n\n\x1bM\x1bMH\x1b[?1049lI\x1b8J\n\n\nK`

describe('a painted screen', () => {
  for (const [name, bytes] of Object.entries(states)) {
    it(`shows ${name}`, async () => {
      const truth = witness(size)
      await feed(truth, bytes)
      const viewer = witness(size)
      await feed(viewer, await picture(size, bytes))
      expect(stateOf(viewer)).to.deep.equal(stateOf(truth))

      await feed(truth, probe)
      await feed(viewer, probe)
      expect(stateOf(viewer), 'after more output').to.deep.equal(stateOf(truth))
    })
  }

  it('replaces whatever a viewer showed before', async () => {
    for (const before of Object.values(states)) {
      const viewer = witness(size)
      await feed(viewer, before)
      const shown = stateOf(viewer)['normal'] as { rows: string[] }
      await feed(viewer, await picture(size, 'new\x1b[3;3Htext'))
      const truth = witness(size)
      await feed(truth, 'new\x1b[3;3Htext')
      const { normal, title, colours, options, unknown, ...rest } = stateOf(viewer)
      const { normal: wanted, title: _t, colours: _c, options: _o, unknown: _u, ...others } = stateOf(truth)
      expect(shown.rows.length).to.be.at.least(size.rows)
      expect(rest).to.deep.equal(others)
      expect((normal as { rows: string[] }).rows.slice(-size.rows)).to.deep.equal((wanted as { rows: string[] }).rows)
      expect([title, colours, options, unknown].length).to.equal(4)
    }
  })
})
