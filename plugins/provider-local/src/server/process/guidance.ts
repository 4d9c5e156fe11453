import type { Running } from './single.ts'

/** How it is used. Never the token itself. */
export function guidance({ url, tokenFile }: Running): string {
  return `Serves this machine's computers at ${url}

  export SPRITES_API_URL=${url}
  export SPRITES_TOKEN="$(cat '${tokenFile.replaceAll("'", String.raw`'\''`)}')"`
}

export function documentOf({ url, tokenFile, pid, startedAt }: Running): object {
  return { url, token_file: tokenFile, pid, started_at: startedAt }
}
