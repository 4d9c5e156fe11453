import { setTimeout as delay } from 'node:timers/promises'
import { string } from '@oclif/core/flags'
import type { ComputerInfo, EquippedComputer } from '../../contract/index.ts'
import { AmuxCommand, computerArg, computerFlags, describeState, pick } from '../../cli/index.ts'
import { fail } from '../../errors/index.ts'

const goals = ['running', 'stopped', 'idle'] as const
type Goal = (typeof goals)[number]

export default class Wait extends AmuxCommand {
  static override summary = 'Wait until a computer runs, is stopped, or has nothing to do.'
  static override description = 'Changes nothing: a stopped computer is not started. Give --timeout to wait no longer than that (exit status 124).'
  static override examples = ['<%= config.bin %> <%= command.id %> --timeout 2m', '<%= config.bin %> <%= command.id %> --for idle && <%= config.bin %> computer stop']
  static override args = { computer: computerArg }
  static override flags = {
    ...computerFlags,
    for: string({ options: goals, default: 'running', summary: 'What to wait for.' }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Wait)
    const computer = await this.amux.computer(pick(flags, args.computer))
    const goal = goals.find((one) => one === flags.for) ?? 'running'
    const info = await this.#until(computer, goal)
    this.out.data({ ...info, provider: computer.provider, reached: goal }, () => `${info.name} is ${goal === 'idle' ? 'idle' : describeState(info)}`)
  }

  async #until(computer: EquippedComputer, goal: Goal): Promise<ComputerInfo> {
    for (let pause = 100; ; pause = Math.min(pause * 1.5, 2000)) {
      const info = await computer.info()
      if (await reached(computer, info, goal)) return info
      if (info.state === 'broken') throw fail('failed', `${info.name} is broken: ${info.problem ?? 'its provider does not say why'}`, { computer: info.name, provider: computer.provider })
      this.out.progress(`${info.name} is ${describeState(info)}`)
      await delay(pause, undefined, { signal: this.signal }).catch(() => {
        throw this.signal.reason
      })
    }
  }
}

/** What does not run has nothing to do. */
async function reached(computer: EquippedComputer, info: ComputerInfo, goal: Goal): Promise<boolean> {
  const asleep = info.state === 'stopped' || info.state === 'hibernating'
  if (goal === 'stopped') return asleep
  if (goal === 'running') return info.state === 'running'
  return asleep || (info.state === 'running' && (await computer.idle()).since !== undefined)
}
