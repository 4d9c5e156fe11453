import type { Terminal } from '@xterm/headless'
import type { Internals } from './internals.ts'

/** A parser's handler: of a sequence, a control character or a stretch of text. */
export type Action = (...facts: readonly unknown[]) => unknown

/**
 * The library throws at some sequences, from a timer, which would end the guest and cut everybody off. So each action
 * is caught where it fails: that one sequence is lost, and the bytes behind it are read as they should be.
 */
export function guard(internals: Internals): void {
  const { _writeBuffer, _inputHandler } = internals
  const parser = _inputHandler._parser
  for (const handlers of [...Object.values(parser._csiHandlers), ...Object.values(parser._escHandlers)]) {
    handlers.forEach((handler, at) => {
      handlers[at] = caught(handler)
    })
  }
  for (const [code, handler] of Object.entries(parser._executeHandlers)) parser._executeHandlers[code] = caught(handler)
  parser._printHandler = caught(parser._printHandler)
  const action = _writeBuffer._action
  _writeBuffer._action = (data, result) => {
    try {
      return action(data, result)
    } catch {
      parser.reset()
      return undefined
    }
  }
}

/** A handler that failed has handled its sequence: nobody else should try. */
function caught(action: Action): Action {
  return (...facts) => {
    try {
      return action(...facts)
    } catch {
      return true
    }
  }
}

/**
 * "Erase up to the cursor" in the last column of the last row is one that throws, half done, and ordinary programs send
 * it. Here it is put together from its two halves.
 */
export function mendErase(terminal: Terminal, { buffers, _inputHandler }: Internals): void {
  for (const prefix of ['', '?']) {
    const guarded = prefix === '?'
    terminal.parser.registerCsiHandler({ ...(guarded && { prefix }), final: 'J' }, (params) => {
      const { x, y } = buffers.active
      if (params[0] !== 1 || x + 1 < terminal.cols) return false
      _inputHandler.eraseInLine({ params: [1] }, guarded)
      for (let row = 0; row < y; row++) _inputHandler._resetBufferLine(row, guarded)
      return true
    })
  }
}
