import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CommandCall } from '../../../../../src/contract/index.ts'
import { fail, hasCode } from '../../errors.ts'
import { bootId, ownProcess } from '../../status.ts'
import { logTo } from './log.ts'
import { startServer } from '../server.ts'
import { type Running, holdAlone, serverDir } from './single.ts'
import { tokenOf } from './token.ts'

export const LISTEN = '127.0.0.1:4280'

/** Serves until it is told to stop. `conflict` when another one serves, or its address is taken. */
export async function serve(call: CommandCall, told: (record: Running) => void): Promise<void> {
  const dataDir = await call.dataDir('local')
  const { host, port } = addressOf(flag(call, 'listen') ?? LISTEN)
  const log = flag(call, 'log') === undefined ? (line: string) => call.note(line) : logTo(flag(call, 'log') ?? '')
  const tls = await tlsOf(call)
  const hold = await holdAlone(dataDir)
  const defect = (error: unknown) => log(`a defect, contained: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  try {
    const tokenFile = flag(call, 'token-file') ?? join(serverDir(dataDir), 'token')
    const token = await tokenOf(tokenFile)
    const provider = await call.provider('local')
    const server = await startServer({ provider, token, dataDir, host, port, version: await versionOf(call), log, ...(tls && { tls }) }).catch((error: unknown) => {
      throw hasCode(error, 'EADDRINUSE') ? fail('conflict', `something else listens on ${host}:${port}`, { hint: 'Say another address: --listen 127.0.0.1:0 takes any that is free.', source: 'amux' }) : error
    })
    process.on('uncaughtException', defect).on('unhandledRejection', defect)
    try {
      const record = { ...ownProcess(), boot: bootId(), url: server.url, tokenFile, startedAt: new Date().toISOString() }
      await hold.tell(record)
      // Whoever looks on is told more below.
      if (call.flags['log'] !== undefined) log(`serves at ${server.url}`)
      told(record)
      await aborted(call.signal)
    } finally {
      await server.close()
      log('stopped')
    }
  } finally {
    process.off('uncaughtException', defect).off('unhandledRejection', defect)
    await hold.release()
  }
}

function flag(call: CommandCall, name: string): string | undefined {
  const value = call.flags[name]
  return typeof value === 'string' ? value : undefined
}

/** Being interrupted is how it is meant to end; a time limit is not. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  if (!hasCode(signal.reason, 'aborted')) throw signal.reason
}

/** `HOST:PORT`, `[::1]:PORT`, `:PORT`. */
function addressOf(text: string): { readonly host: string; readonly port: number } {
  const [, six, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  if (port !== undefined && Number(port) < 65_536) return { host: six ?? (plain || '127.0.0.1'), port: Number(port) }
  throw fail('invalid_argument', `${JSON.stringify(text)} is no address to listen on`, { hint: `It is HOST:PORT, as in ${LISTEN}.`, source: 'amux' })
}

async function tlsOf(call: CommandCall): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  const [cert, key] = [flag(call, 'tls-cert'), flag(call, 'tls-key')]
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) throw fail('invalid_argument', 'a certificate needs its key', { hint: 'Give both: --tls-cert FILE --tls-key FILE.', source: 'amux' })
  return { cert: await pem(cert), key: await pem(key) }
}

async function pem(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw fail('invalid_argument', `${file} cannot be read: ${String(error)}`, { source: 'amux' })
  })
}

async function versionOf({ amux: [, start = ''] }: CommandCall): Promise<string> {
  const { version } = JSON.parse(await readFile(join(dirname(start), '../package.json'), 'utf8')) as { readonly version: string }
  return version
}
