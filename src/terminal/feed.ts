import fs from 'node:fs'
import type { Attachment } from '../contract/index.ts'
import { Typist } from './input.ts'
import type { Local } from './local.ts'
import { mayPass, passBy } from './past.ts'
import { within } from './stop.ts'
import type { Over, Visit } from './visit.ts'

/** So much is worth a way past this process. */
const MUCH = 4 * 1024 * 1024
/** How long a guest may take to say that it knows no such way. */
const ANSWER_MS = 250

/** What is piped in, on its way to the program: at its pace, to the end. */
export class Feed {
  readonly #attachment: Attachment
  readonly #local: Local
  readonly #onLost: () => void
  readonly #kind: 'pipe' | 'file' | undefined
  #typist: Typist | undefined
  #since = 0
  /** Somebody was asked, who may never answer. */
  #busy = false
  #lent = false
  #ended = false
  #visit: Visit | undefined
  #over: Promise<unknown> = Promise.resolve()

  /** `onLost`: some of it may not have arrived, and nobody knows how much. */
  constructor(attachment: Attachment, local: Local, onLost: () => void) {
    this.#attachment = attachment
    this.#onLost = onLost
    this.#local = local
    this.#kind = attachment.session.tty ? undefined : kindOf(local)
    if (this.#kind === 'file' && mayPass(attachment)) void this.#passFile()
    else this.#read()
  }

  /** Resolves once nobody but this process reads here. */
  async settle(): Promise<void> {
    this.#ended = true
    this.#visit?.leave()
    if (this.#lent) await this.#over
  }

  stop(): void {
    this.#ended = true
    this.#typist?.stop()
    if (this.#typist !== undefined) this.#local.stdin.destroy()
  }

  #read(): void {
    const { stdin } = this.#local
    const sink = this.#attachment.stdin
    // The program closed its end or is over: its exit says the rest.
    const onRefused = (): void => void stdin.destroy()
    const typist = new Typist({ input: stdin, sink, onRefused, onEnd: () => void typist.typed.then(() => this.#finish()) })
    typist.onTyped = (bytes) => this.#onTyped(bytes)
    this.#typist = typist
  }

  #finish(): void {
    if (!this.#ended) this.#attachment.stdin.end().catch(() => undefined)
  }

  #onTyped(bytes: number): void {
    this.#since += bytes
    if (this.#since < MUCH || this.#kind !== 'pipe' || this.#busy) return
    this.#since = 0
    void this.#pass()
  }

  /** Of a file what Node has begun to read cannot be called back: nothing is read before. */
  async #passFile(): Promise<void> {
    await within(this.#pass(), ANSWER_MS)
    if (!this.#lent && this.#typist === undefined && !this.#ended) this.#read()
  }

  async #pass(): Promise<void> {
    if (!mayPass(this.#attachment)) return
    this.#busy = true
    this.#over = passBy(this.#attachment, {
      kind: 'input',
      hold: () => this.#hold(),
      go: (over) => this.#go(over),
      onVisit: (visit) => {
        this.#visit = visit
        if (this.#ended) visit.leave()
      },
    })
    await this.#over.catch(() => undefined)
    this.#busy = false
  }

  #hold(): Promise<boolean> {
    // Of a file that is read here by now nobody else can go on.
    if (this.#ended || (this.#kind === 'file' && this.#typist !== undefined)) return Promise.resolve(false)
    this.#lent = true
    return this.#typist?.hold() ?? Promise.resolve(true)
  }

  #go(over: Over | undefined): void {
    const lent = this.#lent
    this.#lent = false
    this.#visit = undefined
    if (over?.reason === 'input') return this.#finish()
    if (over?.reason === 'broken') return this.#onLost()
    if (!lent || this.#ended) return
    if (this.#typist === undefined) this.#read()
    this.#typist?.type(over?.left ?? Buffer.alloc(0))
    this.#typist?.go()
  }
}

/** Of what may be read by another program in this one's place, and is much, or may be. */
function kindOf({ inputDescriptor }: Local): 'pipe' | 'file' | undefined {
  if (inputDescriptor !== 0) return undefined
  try {
    const stat = fs.fstatSync(inputDescriptor)
    if (stat.isFIFO() || stat.isSocket()) return 'pipe'
    return stat.isFile() && stat.size >= MUCH ? 'file' : undefined
  } catch {
    return undefined
  }
}
