/** Where a computer answers HTTP from outside. */
export interface ComputerUrl {
  readonly url: string
  /** `private`: only for who may use the computer. Anything else a provider says is passed on as it is. */
  readonly access: 'private' | 'public' | (string & {})
  /** The computer's port it leads to. Absent: the provider decides, by the service that has an HTTP port. */
  readonly port?: number
}

/** A URL of a computer's own that the provider keeps. */
export interface Urls {
  get(): Promise<ComputerUrl>
  /** In force when it resolves. */
  set(access: 'private' | 'public'): Promise<ComputerUrl>
}
