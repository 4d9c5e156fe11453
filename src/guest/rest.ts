import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'

const AFTER = 3000

type Collect = (how: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void

/**
 * Gives memory back once nobody has asked for anything for a moment: nothing else would, since a process that does
 * nothing collects nothing. One timer after work, none while at rest.
 */
export class Rest {
  #open = 0
  #timer: NodeJS.Timeout | undefined
  #collect: Collect | undefined

  began(): void {
    this.#open++
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  ended(): void {
    this.#open--
    if (this.#open > 0) return
    this.#timer = setTimeout(() => this.#tidy(), AFTER)
    this.#timer.unref()
  }

  #tidy(): void {
    if (this.#collect === undefined) {
      setFlagsFromString('--expose-gc')
      // The function exists only in contexts made after the flag was set.
      this.#collect = runInNewContext('gc') as Collect
    }
    // What is only a cache, such as compiled code, goes too.
    this.#collect({ type: 'major', flavor: 'last-resort' })
  }
}
