import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fail, hasCode } from '../errors.ts'
import type { ExecOptions } from '../exec/exec.ts'
import { openExec } from '../exec/exec.ts'
import type { Execution } from '../exec/execution.ts'
import { upload } from '../files/files.ts'
import type { Sprite } from '../sprite.ts'

const CHECK = 'mkdir -p -m 700 -- "$2/.amux" "$2/.amux/bin" "$2/.amux/sessions" "$2/.amux/sessions/.names" && if [ -x "$1" ]; then sha256sum < "$1" | cut -c1-64; fi'
const PLACE = 'got=$(sha256sum < "$1" | cut -c1-64); if [ "$got" = "$3" ]; then chmod 755 "$1" && mv -f -- "$1" "$2"; else rm -f -- "$1"; exit 1; fi'

export interface Place {
  /** amux-init, absolute. */
  readonly program: string
  /** Where sessions are: a directory for each. */
  readonly root: string
}

/** amux's native program on a sprite: brought once, looked at once per process. */
export class Recorder {
  readonly sprite: Sprite
  #place: Promise<Place> | undefined

  constructor(sprite: Sprite) {
    this.sprite = sprite
  }

  place(): Promise<Place> {
    const place = (this.#place ??= deliver(this.sprite))
    place.catch(() => (this.#place = undefined))
    return place
  }

  dir({ root }: Place, id: string): string {
    return `${root}/${id}`
  }

  /** The program, run for long. */
  open(words: (place: Place) => readonly string[], options: ExecOptions = {}): Promise<Execution> {
    return this.#there((place) => openExec(this.sprite, [place.program, ...words(place)], { plain: true, ...options }))
  }

  /** The program, run to its end, which must be a good one. */
  text(words: (place: Place) => readonly string[]): Promise<string> {
    return this.#there((place) => this.sprite.text([place.program, ...words(place)]))
  }

  /** A checkpoint may have been restored that has no such program yet: then it is brought again. */
  async #there<T>(work: (place: Place) => Promise<T>): Promise<T> {
    const place = await this.place()
    try {
      return await work(place)
    } catch (error) {
      if (!hasCode(error, 'program_not_found')) throw error
      this.#place = undefined
      return work(await this.place())
    }
  }
}

async function deliver(sprite: Sprite): Promise<Place> {
  const { user, arch } = await sprite.facts()
  const bytes = await readFile(await sprite.context.guest.init(arch))
  const hash = createHash('sha256').update(bytes).digest('hex')
  const program = `${user.home}/.amux/bin/amux-init-${hash.slice(0, 16)}`
  const place = { program, root: `${user.home}/.amux/sessions` }
  if ((await sprite.text(['sh', '-c', CHECK, 'sh', program, user.home])).trim() === hash) return place
  const fresh = `${program}.${randomBytes(6).toString('hex')}`
  await upload(sprite, fresh, bytes, 0o755, undefined)
  const { code } = await sprite.run(['sh', '-c', PLACE, 'sh', fresh, program, hash])
  if (code !== 0) throw fail('connection_lost', `amux's session recorder did not arrive whole on ${sprite.name}`, { source: 'transport', computer: sprite.name, hint: 'Try again.' })
  return place
}
