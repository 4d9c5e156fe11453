/** An archive that is damaged, or asks for what no archive may. Each end has errors of its own, and knows these by their code. */
export class TarError extends Error {
  /** The second is sound, but of a kind that nobody here reads. */
  readonly code: 'ERR_TAR' | 'ERR_TAR_FORM'

  constructor(message: string, code: 'ERR_TAR' | 'ERR_TAR_FORM' = 'ERR_TAR') {
    super(message)
    this.code = code
  }
}
