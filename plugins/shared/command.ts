import type { PluginCommand, RunPluginCommand } from '../../src/contract/index.ts'

interface Hooks {
  runHook(name: 'amux:core', options: object): Promise<{ readonly successes: readonly { readonly result: RunPluginCommand }[] }>
}

/** As oclif has it: read for its summary and flags, run by amux's own machinery. */
export function command(definition: PluginCommand) {
  return {
    ...definition,
    strict: false,
    async run(this: { readonly id?: string }, argv: readonly string[], config: Hooks): Promise<number> {
      const [core] = (await config.runHook('amux:core', {})).successes
      if (!core) throw new Error('this amux cannot run commands of plugins: install a newer one')
      return core.result({ ...definition, ...(this.id !== undefined && { id: this.id }) }, argv)
    },
  }
}
