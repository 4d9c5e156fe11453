import type { ListeningPort } from '../../contract/index.ts'
import { inbound } from '../ports/inbound.ts'
import { entered, processes } from './processes.ts'

const MOST = 3

/** What uses the computer past the guest, and is no work: an engine's `exec`, connections from outside to what listens there. */
export async function heldFromOutside(ports: readonly ListeningPort[]): Promise<string[]> {
  const programs = entered(processes()).map(({ name, pid }) => `${name}, put in from outside, pid ${pid}`)
  const taken = (await inbound(ports)).map(({ port, peer }) => `a connection to port ${port} from ${peer.address}`)
  return [...programs.slice(0, MOST), ...[...new Set(taken)].slice(0, MOST)]
}
