/**
 * Providers that are published as packages of their own, for a hint when one is not installed. The only place in the
 * core that names any.
 */
const packages: Readonly<Record<string, string>> = {
  sprites: '@amux/provider-sprites',
  daytona: '@amux/provider-daytona',
  docker: '@amux/provider-docker',
}

export const knownProviders: readonly string[] = Object.keys(packages)

export function packageOf(id: string): string | undefined {
  return Object.hasOwn(packages, id) ? packages[id] : undefined
}

/** Variables of old releases that do not follow the pattern AMUX_<PROVIDER>_<KEY>. */
export const legacyVariables: Readonly<Record<string, { readonly provider: string; readonly key: string }>> = {
  AMUX_SNAPSHOT_ID: { provider: 'daytona', key: 'snapshot' },
}
