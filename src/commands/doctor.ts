import { AmuxCommand, table } from '../cli/index.ts'
import { type Finding, diagnose } from '../cli/doctor/index.ts'

export default class Doctor extends AmuxCommand {
  static override summary = 'Check this machine, the providers, and this project.'
  static override description = 'Exits with 1 when something is broken.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async execute(): Promise<number> {
    await this.parse(Doctor)
    this.out.progress('Checking this machine, the providers and this project')
    const findings = await diagnose(this.amux)
    const broken = findings.filter(({ state }) => state === 'broken')
    this.out.data({ ok: broken.length === 0, findings }, () => render(findings))
    return broken.length === 0 ? 0 : 1
  }
}

function render(findings: readonly Finding[]): string {
  const hints = findings.filter(({ hint }) => hint !== undefined).map(({ check, hint }) => `${check}: ${hint}`)
  const rows = table(findings, { check: (one) => one.check, state: (one) => one.state, finding: (one) => one.message })
  return [rows, ...(hints.length > 0 ? ['', 'What to do', ...hints] : [])].join('\n')
}
