import { SerializeAddon } from '@xterm/addon-serialize'
import { Unicode11Addon } from '@xterm/addon-unicode11'
import headless from '@xterm/headless'
import type { TerminalSize } from '../../contract/index.ts'
import { SCROLLBACK } from './create.ts'
import { guard, mendErase } from './guard.ts'
import { type Internals, internalsOf } from './internals.ts'
import { Screen } from './screen.ts'
import { Trackers } from './trackers.ts'

const finals = 'AB4C5RQKYE6ZH7=0'

export function openScreen({ cols, rows }: TerminalSize, reply: (bytes: Uint8Array) => void): Screen {
  const terminal = new headless.Terminal({
    cols: Math.max(2, cols),
    rows: Math.max(1, rows),
    scrollback: SCROLLBACK,
    allowProposedApi: true,
    logLevel: 'off',
    windowOptions: { getWinSizeChars: true, pushTitle: true, popTitle: true },
  })
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  const serialize = new SerializeAddon()
  terminal.loadAddon(serialize)
  const internals = internalsOf(terminal)
  const charsets = internals === undefined ? undefined : knownCharsets(internals)
  terminal.onData((text) => reply(Buffer.from(text)))
  const trackers = new Trackers(terminal)
  if (internals !== undefined) {
    mendErase(terminal, internals)
    guard(internals)
  }
  const model = internals === undefined || charsets === undefined ? undefined : { terminal, internals, trackers, charsets }
  return new Screen(terminal, model, (scrollback) => serialize.serialize({ scrollback }))
}

let charsetsSeen: ReadonlyMap<object, string> | undefined

/** The library's character sets are bare objects; which is which shows when each is designated once. */
function knownCharsets(internals: Internals): ReadonlyMap<object, string> {
  charsetsSeen ??= learnCharsets(internals)
  return charsetsSeen
}

function learnCharsets(internals: Internals): ReadonlyMap<object, string> {
  const seen = new Map<object, string>()
  for (const final of finals) {
    internals._writeBuffer._action(`\x1b(${final}`)
    const set = internals._charsetService._charsets[0]
    if (set !== undefined && !seen.has(set)) seen.set(set, final)
  }
  internals._writeBuffer._action('\x1b(B')
  return seen
}
