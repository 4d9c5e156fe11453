import { hostname } from 'node:os'
import type { CommandCall } from '../../../../../src/contract/index.ts'
import { isLoopback } from '../../../../shared/loopback.ts'
import type { Running } from './single.ts'

/** Where one listens who listens everywhere: nobody can be sent there. */
const anywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }

/** How it is used. Never the token itself. */
export function guidance({ url, tokenFile }: Running): string {
  const address = addressFor(url)
  const token = `  export SPRITES_TOKEN="$(cat '${tokenFile.replaceAll("'", String.raw`'\''`)}')"`
  return `Serves this machine's computers at ${url}

${address === undefined ? '' : `  export SPRITES_API_URL=${address}\n`}${token}`
}

/** Of what is wrong with offering it there, if anything is. */
export function warn(call: Pick<CommandCall, 'note'>, { url }: Running): void {
  if (isInTheClear(url)) call.note(`${url} is not encrypted: whoever is on the way reads the token, and with it has these computers. Serve HTTPS instead: --tls-cert FILE --tls-key FILE.`)
}

export function documentOf({ url, tokenFile, pid, startedAt }: Running): object {
  return { url, token_file: tokenFile, pid, started_at: startedAt }
}

/** What a client here can be given. None where amux itself would not send the token. */
function addressFor(text: string): string | undefined {
  const { protocol, hostname: host, port } = new URL(text)
  const near = anywhere[host]
  if (near !== undefined) return `${protocol}//${protocol === 'https:' ? hostname() : near}:${port}`
  return isInTheClear(text) ? undefined : text
}

function isInTheClear(text: string): boolean {
  const url = new URL(text)
  return url.protocol === 'http:' && !isLoopback(url)
}
