import type { Context } from '../context.ts'
import type { Finding } from './finding.ts'
import { checkMachine } from './machine.ts'
import { checkProject } from './project.ts'
import { checkProviders } from './providers.ts'

export type { Finding } from './finding.ts'

/** Looks at everything amux stands on. Never throws for what it finds. */
export async function diagnose(amux: Context): Promise<Finding[]> {
  const [providers, project] = await Promise.all([checkProviders(amux), checkProject(amux)])
  // A computer may be seen from two sides.
  return [...new Map([...checkMachine(), ...providers, ...project].map((finding) => [finding.check, finding])).values()]
}
