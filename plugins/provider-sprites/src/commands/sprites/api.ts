import { readFile } from 'node:fs/promises'
import type { CommandCall } from '../../../../../src/contract/index.ts'
import { onApi, onSprite, option, options, spriteFlags } from '../../chosen.ts'
import { type Client, spritePath } from '../../service/client.ts'
import { command } from '../../../../shared/command.ts'
import { fail } from '../../errors.ts'
import type { Answer } from '../../service/http.ts'
import { refusal } from '../../service/refusals.ts'

/** Of a refusal, so much is looked at for its reason. */
const REASON_MAX = 64 * 1024

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']

export default command({
  summary: 'Send a request to the Sprites API with your token.',
  description: `PATH is below the sprite, or begins with /v1. The answer's body is printed as it comes, also that of a failure; the exit status says whether it was one. With --json the answer is one document: status, headers, body.`,
  examples: [
    '<%= config.bin %> <%= command.id %> GET /services',
    '<%= config.bin %> <%= command.id %> GET "/v1/sprites?prefix=web"',
    `<%= config.bin %> <%= command.id %> POST /services/signal --data '{"name":"web","signal":"HUP"}'`,
  ],
  args: { method: { description: 'GET, POST, PUT, DELETE, …', required: true }, path: { description: 'Path, with its query.', required: true } },
  flags: {
    ...spriteFlags,
    data: { type: 'option', char: 'd', summary: 'Body: its text, @FILE, or - for standard input.', helpValue: 'BODY' },
    header: { type: 'option', char: 'H', summary: "Header, 'Name: value'. May be given more than once.", helpValue: 'HEADER', multiple: true },
  },
  async execute(call) {
    const method = checkMethod(call.args['method'] ?? '')
    const headers = Object.fromEntries(options(call, 'header').map(headerOf))
    const path = call.args['path'] ?? ''
    const body = await bodyOf(option(call, 'data'))
    const request = async (client: Client, whole: string) => tell(call, await client.raw(method, whole, { headers, signal: call.signal, timeout: 0, ...(body && { body }) }))
    if (/^\/v1(?=[/?]|$)/.test(path)) return onApi(call, (client) => request(client, path))
    return onSprite(call, ({ name, client }) => request(client, `${spritePath(name)}${path === '' || /^[/?]/.test(path) ? '' : '/'}${path}`))
  },
})

async function tell(call: CommandCall, { status, headers, body }: Answer): Promise<void> {
  const good = status >= 200 && status < 300
  // Kept: all that is to be one document, and the beginning of a refusal.
  const kept: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    if (!call.json) await call.write(chunk)
    if (call.json || (!good && size < REASON_MAX)) kept.push(chunk)
    size += chunk.length
  }
  const text = Buffer.concat(kept).toString()
  if (!good) throw refusal(status, headers, text)
  if (call.json) call.data({ status, headers, body: jsonOf(text) }, () => text)
}

function checkMethod(text: string): string {
  const method = text.toUpperCase()
  if (METHODS.includes(method)) return method
  throw fail('invalid_argument', `${JSON.stringify(text)} is no method`, { source: 'amux', hint: `There are ${METHODS.join(', ')}: amux sprites api GET /services` })
}

/** Names of headers are the same in every case. */
function headerOf(text: string): readonly [string, string] {
  const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+):\s*([\t\x20-\x7e\x80-\xff]*)$/.exec(text) ?? []
  if (name !== '') return [name.toLowerCase(), value]
  throw fail('invalid_argument', `${JSON.stringify(text)} is no header`, { source: 'amux', hint: "Write it like -H 'Accept: application/x-ndjson'" })
}

async function bodyOf(data: string | undefined): Promise<Uint8Array | undefined> {
  if (data === undefined) return undefined
  if (data === '-') return input()
  if (!data.startsWith('@')) return Buffer.from(data)
  return readFile(data.slice(1)).catch((cause: unknown) => {
    throw fail('not_found', `${data.slice(1)} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { source: 'amux', cause })
  })
}

async function input(): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
