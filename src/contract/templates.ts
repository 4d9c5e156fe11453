/** What new computers start from. */
export interface TemplateInfo {
  readonly name: string
  /** RFC 3339. */
  readonly createdAt: string
  /** Bytes. Absent where the provider does not say. */
  readonly size?: number
  /** What a computer starts from unless told otherwise. */
  readonly isDefault?: boolean
}

export interface BuildTemplateOptions {
  /** Default: the one that computers start from unless told otherwise. */
  readonly name?: string
  /** A tar file of this machine with a Linux system to begin with, where no registry can be reached. */
  readonly rootfs?: string
  /** Another image to begin with, in the provider's own vocabulary. */
  readonly base?: string
  readonly signal?: AbortSignal
}

/** The templates that a provider keeps. */
export interface Templates {
  /** Those that amux made, by name. */
  list(): Promise<readonly TemplateInfo[]>
  /** As the provider understands its name. `not_found`; `conflict` where it is not amux's. So with every `name` of one that is there. */
  get(name: string): Promise<TemplateInfo>
  /** amux's own: a system with Node, git and what agents expect. Replaces one of that name; computers that started from it do not change. */
  build(options?: BuildTemplateOptions): Promise<TemplateInfo>
  /** Computers that started from it go on. */
  remove(name: string): Promise<void>
  /** The system of a computer, without homes, projects and secrets given at its creation. `already_exists` unless `replace`. */
  save(computer: string, name: string, options?: { readonly replace?: boolean; readonly signal?: AbortSignal }): Promise<TemplateInfo>
}
