import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'
import { FAR } from '../support/far.ts'
import { linkPlugins } from '../support/plugins.ts'

export interface Done {
  readonly changes: readonly { readonly path: string; readonly action: string }[]
  readonly conflicts: readonly { readonly path: string; readonly why: string }[]
  readonly kept: readonly string[]
  readonly left: readonly { readonly path: string }[]
  readonly refs: readonly { readonly name: string }[]
  readonly staged: boolean
}

/** A project and a computer that does not see it. Both are directories of this machine, where the computer runs its programs. */
export class TwoSides {
  readonly amux: Scratch
  /** The workspace on the computer, once that is made. */
  there = ''

  private constructor(amux: Scratch) {
    this.amux = amux
  }

  static async make(): Promise<TwoSides> {
    const amux = await Scratch.make()
    await linkPlugins(amux.home, [{ name: 'amux-test-far', hook: FAR }])
    return new TwoSides(amux)
  }

  get here(): string {
    return this.amux.project
  }

  async create(): Promise<void> {
    const { status, document } = await this.amux.json<{ workspace: string }>(['computer', 'create', '-P', 'far'])
    expect(status, JSON.stringify(document)).to.equal(0)
    this.there = document.workspace
  }

  dispose(): Promise<void> {
    return disposeAll(this.amux)
  }

  put(side: 'here' | 'there', path: string, text = path): void {
    mkdirSync(dirname(join(this[side], path)), { recursive: true })
    writeFileSync(join(this[side], path), text)
  }

  read(side: 'here' | 'there', path: string): string {
    return readFileSync(join(this[side], path), 'utf8')
  }

  git(side: 'here' | 'there', ...args: string[]): string {
    return execFileSync('git', ['-C', this[side], '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { stdio: 'pipe', encoding: 'utf8' }).trim()
  }

  commit(side: 'here' | 'there', message: string): void {
    this.git(side, 'add', '-A')
    this.git(side, 'commit', '-q', '-m', message)
  }

  run(...args: string[]) {
    return this.amux.run(['computer', 'sync', ...args])
  }

  /** What it says it did. */
  async lines(...args: string[]): Promise<string[]> {
    const { status, stdout, stderr } = await this.run(...args)
    expect(status, stderr).to.equal(0)
    return stdout.split('\n').filter((line) => line !== '')
  }

  async done(...args: string[]): Promise<Done> {
    return (await this.amux.json<Done>(['computer', 'sync', ...args])).document
  }

  /** Why it carried nothing. */
  async refused(...args: string[]): Promise<string> {
    const { status, document } = await this.amux.json<ErrorDocument>(['computer', 'sync', ...args])
    expect(status).to.equal(5)
    return document.error.message
  }

  expectClean(): void {
    expect(existsSync(join(this.there, '.amux')), 'left over on the computer').to.equal(false)
    expect(readdirSync(join(this.here, '.amux')).filter((name) => name.startsWith('sync'))).to.deep.equal([])
  }
}
