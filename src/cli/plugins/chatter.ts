/** What npm says when all is well, and warnings of settings that are not amux's. */
const idle = /^(npm (warn|notice)\b|(added|removed|changed|up to date)\b.*|\d+ packages? .*|run `npm .*)/i

/** From now on, npm's chatter is left out of what the plugin manager passes on; what is left goes to stderr. */
export function quieten(): void {
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
    const text = typeof chunk === 'string' ? chunk : undefined
    if (text === undefined || !/^(npm |added |removed |changed |up to date)/i.test(text)) return write(chunk, ...rest)
    const kept = text.split('\n').filter((line) => line.trim() !== '' && !idle.test(line))
    if (kept.length > 0) process.stderr.write(`${kept.join('\n')}\n`)
    return true
  }) as typeof process.stdout.write
}
