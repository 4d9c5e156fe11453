import type { Attachment, ByteSink, ByteSource, ExitStatus, SessionInfo, TerminalSize } from '../../../../src/contract/index.ts'
import type { Following } from './attach.ts'
import type { Execution } from '../exec/execution.ts'
import { notTyped } from '../exec/fate.ts'

/** A session's terminal: its screen comes from the service, whose session it is too; how it goes, from the recorder. */
export class Terminal implements Attachment {
  readonly stdin: ByteSink
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  readonly exit: Promise<ExitStatus>
  readonly #screen: Execution
  readonly #life: Following
  #size: TerminalSize | undefined

  constructor(screen: Execution, life: Following, { readOnly }: { readonly readOnly: boolean }) {
    this.#screen = screen
    this.#life = life
    this.stdin = readOnly ? notTyped(life.session.id) : screen.stdin
    this.stdout = screen.stdout
    this.stderr = life.stderr
    this.exit = life.exit
    // With it the screen ends by itself; without it, it is left.
    life.exit.catch((error: unknown) => screen.leave(error))
  }

  get session(): SessionInfo {
    return { ...this.#life.session, ...(this.#size && { size: this.#size }) }
  }

  set onDisowned(told: NonNullable<Attachment['onDisowned']>) {
    this.#life.onDisowned = told
  }

  set onSkipped(told: NonNullable<Attachment['onSkipped']>) {
    this.#screen.onSkipped = told
  }

  kill(signal?: string): Promise<void> {
    return this.#life.kill(signal)
  }

  async resize(size: TerminalSize): Promise<void> {
    this.#size = size
    await this.#screen.resize(size)
  }

  detach(): Promise<void> {
    return this.#life.detach()
  }
}
