import type { CreateOptionSpec, ProviderDescriptor } from '../contract/index.ts'
import { fail } from '../errors/index.ts'

/** `KEY=VALUE` flags as a table. */
export function assignments(texts: readonly string[] | undefined, flag: string): Record<string, string> {
  const pairs = (texts ?? []).map((text) => {
    const cut = text.indexOf('=')
    if (cut < 1) throw fail('invalid_argument', `${flag} ${JSON.stringify(text)} is not of the form NAME=VALUE`)
    return [text.slice(0, cut), text.slice(cut + 1)] as const
  })
  return Object.fromEntries(pairs)
}

/** A provider's own options, each as its declaration says; one that is not declared is refused by name. */
export function createOptions(descriptor: ProviderDescriptor, texts: readonly string[] | undefined): Record<string, string | number | boolean> {
  const specs = new Map(descriptor.createOptions?.map((spec) => [spec.name, spec]))
  const named = (texts ?? []).map((text) => (specs.get(text)?.type === 'boolean' ? `${text}=true` : text))
  return Object.fromEntries(Object.entries(assignments(named, '-o')).map(([name, text]) => [name, value(descriptor, specs.get(name), name, text)] as const))
}

function value({ id }: ProviderDescriptor, spec: CreateOptionSpec | undefined, name: string, text: string): string | number | boolean {
  const hint = `See: amux provider info ${id}`
  if (!spec) throw fail('unsupported', `provider ${id} has no option "${name}"`, { hint, provider: id })
  if (spec.type === 'string') return text
  const read = spec.type === 'number' ? (text.trim() === '' ? Number.NaN : Number(text)) : { true: true, false: false }[text]
  if (read === undefined || Number.isNaN(read)) throw fail('invalid_argument', `-o ${name} takes a ${spec.type}, not ${JSON.stringify(text)}`, { hint })
  return read
}
