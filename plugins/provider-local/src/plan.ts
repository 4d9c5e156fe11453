/** What the helper is to do, in order. A path or text may hold anything: it is escaped here and nowhere else. */
export class Plan {
  readonly #lines: string[] = []
  #slot = 1

  step(name: string, ...fields: readonly (string | number)[]): this {
    this.#lines.push([name, ...fields.map((field) => escape(String(field)))].join('\t'))
    return this
  }

  /** Its failure is no failure. */
  attempt(name: string, ...fields: readonly (string | number)[]): this {
    return this.step(`-${name}`, ...fields)
  }

  /** Takes a mount of the machine's, to be attached after the pivot under the number returned. */
  take(path: string, flags: string): number {
    this.step('clone', this.#slot, path, flags)
    return this.#slot++
  }

  /** The same where it may not exist. */
  takeIfThere(path: string, flags: string): number {
    this.attempt('clone', this.#slot, path, flags)
    return this.#slot++
  }

  /** The same, as another process sees the path. */
  takeFrom(process: { readonly pid: number; readonly ticks: string }, path: string, flags: string): number {
    this.step('foreign', this.#slot, path, flags, process.pid, process.ticks)
    return this.#slot++
  }

  text(): string {
    return `${this.#lines.join('\n')}\nend\n`
  }
}

function escape(field: string): string {
  return field.replace(/[%\t\n\r]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
