import type { TerminalSize } from '../../contract/index.ts'

/** What a session needs of a terminal model. */
export interface Screen {
  write(chunk: Uint8Array): void
  /** Bytes written and not parsed yet. */
  readonly pending: number
  /** Resolves when everything written so far was parsed. */
  flush(): Promise<void>
  resize(size: TerminalSize): void | Promise<void>
  /** Bytes that draw this screen on an empty terminal. After `flush`. */
  paint(scrollbackLines?: number): Uint8Array
  dispose(): void
}

/** `reply` gets what the terminal answers to a program's questions. */
export type CreateScreen = (size: TerminalSize, reply: (bytes: Uint8Array) => void) => Promise<Screen>
