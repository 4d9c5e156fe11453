/**
 * `ERR_TAR`: it is damaged, or asks for what no archive may. `_FORM`: it is sound, but of a kind that nobody here reads.
 * `_CONFLICT`: what is there already is in its way. `_NAME`: a name that is no text, where it would have to be.
 */
export type TarCode = 'ERR_TAR' | 'ERR_TAR_FORM' | 'ERR_TAR_CONFLICT' | 'ERR_TAR_NAME'

/** What is wrong with an archive. Each end has errors of its own, and knows these by their code. */
export class TarError extends Error {
  readonly code: TarCode

  constructor(message: string, code: TarCode = 'ERR_TAR') {
    super(message)
    this.code = code
  }
}
