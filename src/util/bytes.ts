const units = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const

/** For people: `512 bytes`, `1.4 MB`. */
export function formatBytes(count: number): string {
  const step = Math.min(units.length - 1, count < 1000 ? 0 : Math.floor(Math.log10(count) / 3))
  const amount = count / 1000 ** step
  return `${step === 0 ? amount : amount.toPrecision(3)} ${units[step]}`
}
