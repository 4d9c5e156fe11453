import type { Attachment, ByteSink, ByteSource, ExitStatus, SessionInfo, TerminalSize } from '../../../src/contract/index.ts'
import type { Following } from './attach.ts'
import { fail } from './errors.ts'
import { Execution } from './execution.ts'
import type { Sprite } from './sprite.ts'

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
    const refuse = async () => {
      throw fail('conflict', 'only the owner of a session types into it', { source: 'amux' })
    }
    this.stdin = readOnly ? { write: refuse, end: async () => {} } : screen.stdin
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

/** The service's own session, seen again. `not_found` once it ended. */
export async function openScreen(sprite: Sprite, native: string, size: TerminalSize): Promise<Execution> {
  const socket = await sprite.client.socket(sprite.path('exec', native), { query: { stdin: true } })
  const gone = async () => fail('not_found', 'the session has ended', { computer: sprite.name })
  const screen = new Execution(sprite, socket, { tty: size, signal: undefined, onFailure: gone })
  await screen.begun
  return screen
}

export interface NativeSession {
  readonly id: string | number
  readonly command?: string
  readonly tty?: boolean
  readonly workdir?: string
  readonly created?: string
  readonly last_activity?: string
}

/** What the service says that runs. */
export async function natives(sprite: Sprite): Promise<readonly NativeSession[]> {
  const { sessions } = await sprite.client.json<{ readonly sessions?: readonly NativeSession[] | null }>('GET', sprite.path('exec'))
  return Array.isArray(sessions) ? sessions.filter((session): session is NativeSession => session instanceof Object && 'id' in session) : []
}

/** The service's id of the session that runs a recorder. */
export async function nativeOf(sprite: Sprite, dir: string): Promise<string | undefined> {
  const found = (await natives(sprite)).find(({ command }) => typeof command === 'string' && command.split(' ').includes('record') && command.split(' ').includes(dir))
  return found && String(found.id)
}
