import { Unicode11Addon } from '@xterm/addon-unicode11'
import headless, { type Terminal } from '@xterm/headless'
import { SCROLLBACK } from '../../src/guest/screen/create.ts'
import { createScreen } from '../../src/guest/screen/index.ts'
import { guard, mendErase } from '../../src/guest/screen/guard.ts'
import { type Attributes, type Cell, type Internals, internalsOf, type ScreenBuffer } from '../../src/guest/screen/internals.ts'
import { Trackers } from '../../src/guest/screen/trackers.ts'

export interface Size {
  readonly cols: number
  readonly rows: number
}

/** A terminal that is not ours: what the program's bytes, or a painted screen, are shown on. */
export interface Witness {
  readonly terminal: Terminal
  readonly trackers: Trackers
}

export function witness({ cols, rows }: Size): Witness {
  const terminal = new headless.Terminal({
    cols,
    rows,
    scrollback: SCROLLBACK,
    allowProposedApi: true,
    logLevel: 'off',
    windowOptions: { pushTitle: true, popTitle: true },
  })
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  const trackers = new Trackers(terminal)
  // The library throws at some sequences; what it then should do is tested by itself.
  const internals = internalsOf(terminal)
  if (internals !== undefined) {
    mendErase(terminal, internals)
    guard(internals)
  }
  return { terminal, trackers }
}

export async function feed({ terminal }: Witness, bytes: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => terminal.write(bytes, resolve))
}

/** The picture of a screen that has seen these bytes. */
export async function picture(size: Size, bytes: string | Uint8Array, scrollback?: number): Promise<Uint8Array> {
  const screen = await createScreen(size, () => undefined)
  screen.write(Buffer.from(bytes))
  await screen.flush()
  const painted = screen.paint(scrollback)
  screen.dispose()
  return painted
}

/** Everything about a terminal that a person or a program could tell, in a form that compares and prints well. */
export function stateOf({ terminal, trackers }: Witness): Record<string, unknown> {
  const core = Reflect.get(terminal, '_core') as Internals & { coreService: { modes: object }; coreMouseService: { activeProtocol: string } }
  const { buffers, coreService, coreMouseService, options, _inputHandler, _charsetService } = core
  const alternate = buffers.active === buffers.alt
  const style = (from: Attributes): string => styleOf(core, from)
  const bufferOf = (one: ScreenBuffer): object => ({
    rows: Array.from({ length: one.lines.length }, (_, row) => rowOf(terminal, one, row, style)),
    saved: [Math.min(one.savedX, terminal.cols - 1), Math.max(0, one.savedY - one.ybase), style({ ...one.savedCurAttrData, extended: none })],
    region: [one.scrollTop, one.scrollBottom],
    tabs: Array.from({ length: terminal.cols }, (_, column) => column).filter((column) => one.tabs[column] === true),
  })
  return {
    buffer: alternate ? 'alternate' : 'normal',
    normal: bufferOf(buffers.normal),
    alternate: alternate ? bufferOf(buffers.alt) : undefined,
    cursor: [buffers.active.x, buffers.active.y],
    current: styleOf(core, { ..._inputHandler._curAttrData, bg: _inputHandler._curAttrData.bg | 0x10000000 }, true),
    modes: { ...coreService.decPrivateModes, ...coreService.modes },
    hidden: coreService.isCursorHidden,
    mouse: [coreMouseService.activeProtocol, coreMouseService.activeEncoding],
    options: [options.cursorBlink, options.convertEol],
    charset: [_charsetService.glevel, JSON.stringify(_charsetService.charset)],
    title: trackers.title,
    keys: [trackers.otherKeys, trackers.keyboards.normal, alternate ? trackers.keyboards.alternate : []],
    unknown: [...trackers.modes].filter(([mode, on]) => on || mode === 1007).map(String).toSorted(),
    colours: [...trackers.colours].map(String).toSorted(),
  }
}

const none = { _ext: 0, underlineColor: 0, urlId: 0 }

function rowOf(terminal: Terminal, buffer: ScreenBuffer, row: number, style: (from: Attributes) => string): string {
  const line = buffer.lines.get(row)
  const cell = terminal.buffer.active.getNullCell() as unknown as Cell
  // Of the first row nobody can see, or reflow, what it continues.
  const parts: string[] = [line?.isWrapped === true && row > 0 ? '~' : '|']
  let last = ''
  let wide = false
  for (let column = 0; column < terminal.cols; column++) {
    line?.loadCell(column, cell)
    const now = style(cell)
    if (now !== last) parts.push(`{${now}}`)
    last = now
    // The second half of a wide character, unless the first was torn off.
    parts.push(cell.getWidth() === 0 && wide ? '' : cell.getChars() || ' ')
    wide = cell.getWidth() === 2
  }
  return parts.join('').trimEnd()
}

/** The colour of an underline shows with an underline; `current` is about what comes next. */
function styleOf(core: Internals, { fg, bg, extended }: Attributes, current = false): string {
  const rich = (bg & 0x10000000) !== 0
  const link = rich && extended.urlId !== 0 ? core._oscLinkService.getLinkData(extended.urlId) : undefined
  const under = (fg & 0x10000000) !== 0 ? `u${rich ? (extended._ext >>> 26) & 7 || 1 : 1}` : ''
  const flags = `${(fg & 0xec000000) >>> 26} ${(bg & 0x6c000000) >>> 26}`
  const colours = [colour(fg), colour(bg), rich && (under !== '' || current) ? colour(extended.underlineColor) : '-'].join(' ')
  const text = `${colours} ${flags} ${under} ${link === undefined ? '' : `${link.id ?? ''}>${link.uri}`}`.trim()
  return text === '- - - 0 0' ? '' : text
}

function colour(value: number): string {
  const mode = (value & 0x3000000) >>> 24
  if (mode === 0) return '-'
  return mode === 3 ? `#${(value & 0xffffff).toString(16)}` : `${mode}:${value & 0xff}`
}
