import type { Terminal } from '@xterm/headless'
import type { Action } from './guard.ts'

/*
 * What an exact picture needs and the library's public interface does not offer. The version is pinned; `internalsOf`
 * looks at every member before anyone relies on it, so that a different version falls back instead of failing.
 */

export interface Extended {
  /** Underline style and colour, as stored. */
  readonly _ext: number
  readonly underlineColor: number
  readonly urlId: number
}

export interface Attributes {
  readonly fg: number
  readonly bg: number
  readonly extended: Extended
}

export interface Cell extends Attributes {
  getChars(): string
  getWidth(): number
}

export interface Line {
  readonly isWrapped: boolean
  readonly _data: Uint32Array<ArrayBuffer>
  loadCell(column: number, into: Cell): Cell
}

export interface ScreenBuffer {
  readonly lines: { readonly length: number; get(row: number): Line | undefined }
  readonly x: number
  readonly y: number
  readonly ybase: number
  readonly savedX: number
  readonly savedY: number
  readonly savedCurAttrData: Attributes
  readonly savedCharset: object | undefined
  readonly scrollTop: number
  readonly scrollBottom: number
  readonly tabs: Readonly<Record<number, boolean | undefined>>
}

export interface Parser {
  readonly currentState: number
  /** Not 0 right after a character was printed. */
  readonly precedingJoinState: number
  readonly _csiHandlers: Readonly<Record<string, Action[]>>
  readonly _escHandlers: Readonly<Record<string, Action[]>>
  readonly _executeHandlers: Record<string, Action>
  _printHandler: Action
  reset(): void
}

export interface Internals {
  readonly buffers: { readonly normal: ScreenBuffer; readonly alt: ScreenBuffer; readonly active: ScreenBuffer }
  readonly coreMouseService: { readonly activeEncoding: string }
  readonly coreService: {
    readonly isCursorHidden: boolean
    readonly decPrivateModes: { readonly cursorStyle?: string; readonly cursorBlink?: boolean; readonly applicationKeypad: boolean }
  }
  readonly options: { readonly cursorBlink: boolean; readonly convertEol: boolean }
  readonly _inputHandler: {
    readonly _curAttrData: Attributes
    readonly _parser: Parser
    eraseInLine(params: { readonly params: readonly number[] }, guarded: boolean): unknown
    _resetBufferLine(row: number, guarded: boolean): void
  }
  readonly _charsetService: { readonly charset: object | undefined; readonly glevel: number; readonly _charsets: readonly (object | undefined)[] }
  readonly _oscLinkService: { getLinkData(id: number): { readonly id?: string; readonly uri: string } | undefined }
  readonly _writeBuffer: { _action: (data: Uint8Array | string, result?: boolean) => unknown }
}

const numbers = ['x', 'y', 'ybase', 'savedX', 'savedY', 'scrollTop', 'scrollBottom', 'savedCurAttrData.fg']

const needed: readonly (readonly [path: string, type: string])[] = [
  ...['normal', 'alt', 'active'].flatMap((which) => numbers.map((name) => [`buffers.${which}.${name}`, 'number'] as const)),
  ['buffers.normal.lines.get', 'function'],
  ['buffers.normal.tabs', 'object'],
  ['buffers.normal.lines.length', 'number'],
  ['coreMouseService.activeEncoding', 'string'],
  ['coreService.isCursorHidden', 'boolean'],
  ['coreService.decPrivateModes.applicationKeypad', 'boolean'],
  ['options.cursorBlink', 'boolean'],
  ['_inputHandler._curAttrData.extended._ext', 'number'],
  ['_inputHandler.eraseInLine', 'function'],
  ['_inputHandler._resetBufferLine', 'function'],
  ['_inputHandler._parser.currentState', 'number'],
  ['_inputHandler._parser.precedingJoinState', 'number'],
  ['_inputHandler._parser._csiHandlers', 'object'],
  ['_inputHandler._parser._escHandlers', 'object'],
  ['_inputHandler._parser._executeHandlers', 'object'],
  ['_inputHandler._parser._printHandler', 'function'],
  ['_inputHandler._parser.reset', 'function'],
  ['_charsetService.glevel', 'number'],
  ['_charsetService._charsets', 'object'],
  ['_oscLinkService.getLinkData', 'function'],
  ['_writeBuffer._action', 'function'],
]

/** `undefined` when this is not the library that the painter knows. */
export function internalsOf(terminal: Terminal): Internals | undefined {
  const core: unknown = Reflect.get(terminal, '_core')
  const complete = needed.every(([path, type]) => typeof follow(core, path) === type)
  // Every member was just looked at; the library has no types for them.
  return complete ? (core as Internals) : undefined
}

/**
 * Gives back the lines' memory at once. Left to the collector it would wait until much more of it has gathered, and what
 * the process once took from the system it keeps.
 */
export function freeLines({ buffers }: Internals): void {
  for (const { lines } of [buffers.normal, buffers.alt]) {
    for (let row = 0; row < lines.length; row++) {
      const buffer = lines.get(row)?._data.buffer
      if (buffer?.detached === false) buffer.transfer(0)
    }
  }
}

function follow(from: unknown, path: string): unknown {
  let at = from
  for (const name of path.split('.')) at = at instanceof Object ? Reflect.get(at, name) : undefined
  return at
}
