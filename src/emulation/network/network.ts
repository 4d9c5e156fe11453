import type { Computer, Network, NetworkEvent, NetworkPolicy } from '../../contract/index.ts'
import { fail, isAmuxError } from '../../errors/index.ts'
import { parseAnswer, parseToolFailure } from '../aside/answer.ts'
import { type ToolFailure, runTool, Tool, toolError } from '../aside/index.ts'
import { parseEvent } from './events.ts'
import { checkPolicy } from './rules.ts'
import { policyText } from './text.ts'

const PROGRAM = 'amux-net'
/** Of the policy, its socket and its log, as a program aside sees it. */
const PLACE = '/store/network'
/** The most rules there may be, with the longest domains. */
const LARGEST = 16 * 1024 * 1024

/** A computer's network policy, by the server that its provider runs beside it. */
export class PolicyNetwork implements Network {
  readonly #computer: Pick<Computer, 'aside' | 'guardNetwork' | 'name'>

  constructor(computer: Pick<Computer, 'aside' | 'guardNetwork' | 'name'>) {
    this.#computer = computer
  }

  async get(): Promise<NetworkPolicy> {
    const tool = await Tool.start(this.#computer, [PROGRAM, 'show', PLACE], { store: true, explain })
    await tool.end()
    const document = await whole(tool)
    try {
      return checkPolicy(JSON.parse(document))
    } catch (error) {
      throw fail('corrupt', `the network policy of ${this.#computer.name} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }

  async set(policy: NetworkPolicy): Promise<void> {
    const input = policyText(policy)
    await this.#computer.guardNetwork?.()
    const { word } = await runTool(this.#computer, [PROGRAM, 'apply', PLACE], { store: true, input, explain })
    if (word !== 'applied' && word !== 'stored') throw fail('failed', `nothing says that the network policy of ${this.#computer.name} is in force`)
  }

  async *log({ follow = false, denied = false, signal }: NonNullable<Parameters<Network['log']>[0]> = {}): AsyncGenerator<NetworkEvent, void> {
    const flags = [...(follow ? ['--follow'] : []), ...(denied ? ['--denied'] : [])]
    const tool = await Tool.start(this.#computer, [PROGRAM, 'log', PLACE, ...flags], { store: true, explain, ...(signal && { signal }) })
    // One that follows ends with its input.
    if (!follow) await tool.end()
    try {
      for await (const line of tool.lines()) {
        refuse(line)
        const event = parseEvent(line)
        if (event) yield event
      }
    } catch (error) {
      throw signal?.aborted ? reasonOf(signal) : error
    }
    if (signal?.aborted) throw reasonOf(signal)
  }
}

/** Longer than a line of a tool may be. */
async function whole(tool: Tool): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of tool.bytes()) {
      parts.push(chunk)
      size += chunk.length
      if (size > LARGEST) throw fail('corrupt', 'amux\'s own helper said an endless policy')
    }
  } catch (error) {
    refuse(Buffer.concat(parts).toString().split('\n', 1)[0] ?? '')
    throw error
  }
  return Buffer.concat(parts).toString()
}

function refuse(line: string): void {
  const failure = parseToolFailure(parseAnswer(line))
  if (failure) throw explain(failure)
}

function explain(failure: ToolFailure): Error {
  const { errno, step, text } = failure
  if (step === 'tool') return fail('tool_missing', text || 'nft is not on this machine', { hint: 'apt-get install nftables', cause: failure })
  if (step === 'policy' && errno === 'EINVAL') return fail('internal', `amux-net does not understand the policy: ${text}`, { cause: failure })
  return toolError(failure)
}

function reasonOf({ reason }: AbortSignal): unknown {
  return isAmuxError(reason) ? reason : fail('aborted', 'no longer wanted', { cause: reason })
}
