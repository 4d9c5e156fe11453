import { boolean, custom, string } from '@oclif/core/flags'
import { parseDuration } from '../util/duration.ts'

/** Milliseconds, from `30s`, `5m` or plain seconds. */
export const duration = custom<number>({
  helpValue: 'DURATION',
  parse: async (text) => parseDuration(text),
})

/** Every command has these. */
export const globalFlags = {
  json: boolean({ summary: 'Print JSON, errors included.', helpGroup: 'GLOBAL' }),
  quiet: boolean({ char: 'q', summary: 'Print data and errors only; of a list, only names.', helpGroup: 'GLOBAL' }),
  yes: boolean({ char: 'y', summary: 'Answer every question with yes.', helpGroup: 'GLOBAL' }),
  timeout: duration({ summary: 'Give up after this time: 30s, 5m, or plain seconds.', helpGroup: 'GLOBAL' }),
}

export const providerFlag = string({
  char: 'P',
  summary: "Provider to use. Default: AMUX_PROVIDER, else the project's.",
  helpValue: 'ID',
})

/** Which computer a command is about. */
export const computerFlags = {
  computer: string({ char: 'c', summary: "Name of a computer. Default: this project's.", helpValue: 'NAME' }),
  provider: providerFlag,
}

export interface ComputerSelection {
  readonly computer?: string | undefined
  readonly provider?: string | undefined
}
