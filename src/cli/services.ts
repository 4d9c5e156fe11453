import { string } from '@oclif/core/args'
import type { ServiceInfo } from '../contract/index.ts'
import { formatAgo } from '../util/duration.ts'
import type { AmuxCommand } from './base.ts'
import type { ComputerSelection } from './flags.ts'
import type { Columns } from './table.ts'

export const serviceArg = string({ required: true, description: 'Name of a service.', ignoreStdin: true })

export const serviceColumns: Columns<ServiceInfo> = {
  name: ({ name }) => name,
  state: describeService,
  pid: ({ pid }) => pid,
  started: ({ startedAt }) => (startedAt === undefined ? '' : formatAgo(startedAt)),
  restarts: ({ restarts }) => restarts || undefined,
  port: ({ httpPort }) => httpPort,
  needs: ({ needs = [] }) => needs.join(', '),
  command: ({ argv }) => argv.join(' '),
}

export function describeService({ state, problem }: ServiceInfo): string {
  return problem === undefined ? state : `${state}: ${problem}`
}

/** Does one thing with one service, and shows what came of it: status 1 where it did not come to run. */
export async function withService(command: Pick<AmuxCommand, 'amux' | 'out'>, selection: ComputerSelection, work: (services: Services) => Promise<ServiceInfo>): Promise<number> {
  const computer = await command.amux.computer(selection, { start: true })
  const service = await work(computer.services)
  command.out.data({ ...service, computer: computer.name, provider: computer.provider }, () => `${service.name} on ${computer.name}: ${describeService(service)}`)
  if (service.state !== 'failed') return 0
  command.out.say(`amux: see what it said: amux computer service logs ${service.name}`)
  return 1
}

type Services = Awaited<ReturnType<AmuxCommand['amux']['computer']>>['services']
