import type { FlagTable, FlagValues } from './argv.ts'

/** What every command has; a test holds it against the commands' own. */
export const globalTable = {
  json: { kind: 'switch', summary: 'Print JSON, errors included.' },
  quiet: { kind: 'switch', char: 'q', summary: 'Print data and errors only; of a list, only names.' },
  yes: { kind: 'switch', char: 'y', summary: 'Answer every question with yes.' },
  timeout: { kind: 'value', summary: 'Give up after this time: 30s, 5m, or plain seconds.', helpValue: 'DURATION' },
} as const satisfies FlagTable

/** Which computer. */
export const computerTable = {
  computer: { kind: 'value', char: 'c', summary: "Name of a computer. Default: this project's.", helpValue: 'NAME' },
  provider: { kind: 'value', char: 'P', summary: "Provider to use. Default: AMUX_PROVIDER, else the project's.", helpValue: 'ID' },
} as const satisfies FlagTable

/** How a program is started. */
export const launchTable = {
  env: { kind: 'values', char: 'e', summary: 'Set a variable, or copy one from here by name. May be repeated.', helpValue: 'NAME[=VALUE]' },
  'env-file': { kind: 'values', summary: 'Set the variables in a file of NAME=VALUE lines. May be repeated.', helpValue: 'FILE' },
  workdir: { kind: 'value', char: 'w', summary: "Directory to run in. Default: this one's place on the computer.", helpValue: 'DIR' },
  user: { kind: 'value', char: 'u', summary: "User to run as: a name, a uid, or uid:gid. Default: the computer's user.", helpValue: 'USER' },
  name: { kind: 'value', summary: 'Name the session.', helpValue: 'NAME' },
  'detach-keys': { kind: 'value', summary: 'Keys that leave the program running: ctrl-p,ctrl-q. Default: ctrl-\\. Empty: none.', helpValue: 'KEYS' },
} as const satisfies FlagTable

export const execTable = {
  ...globalTable,
  ...computerTable,
  stdin: { kind: 'switch', char: 'i', negatable: true, summary: 'Pass standard input on (default). Alone, as docker has it, it also means no terminal.' },
  tty: { kind: 'switch', char: 't', negatable: true, summary: 'Give it a terminal. Default: when standard input and output are one.' },
  detach: { kind: 'switch', char: 'd', summary: "Leave it running in the background and print the session's id." },
  shell: { kind: 'switch', summary: 'The one word after -- is a line for the shell.' },
  ...launchTable,
} as const satisfies FlagTable

export const shellTable = { ...globalTable, ...computerTable, ...launchTable } as const satisfies FlagTable

export const runTable = {
  ...globalTable,
  ...computerTable,
  attach: { kind: 'switch', summary: 'Go back to the one that runs detached, without asking.' },
  new: { kind: 'switch', summary: 'Start another, though one runs detached.' },
  auto: { kind: 'value', summary: 'Make a checkpoint first, by itself: before-run.', helpValue: 'before-run' },
  stdin: execTable.stdin,
  tty: execTable.tty,
  detach: execTable.detach,
  ...launchTable,
} as const satisfies FlagTable

export const attachTable = {
  ...globalTable,
  ...computerTable,
  stdin: { kind: 'switch', char: 'i', negatable: true, summary: 'Pass standard input on. Default: when it is a terminal.' },
  'read-only': { kind: 'switch', summary: 'Only look.' },
  'detach-keys': launchTable['detach-keys'],
} as const satisfies FlagTable

export const copyTable = { ...globalTable, ...computerTable } as const satisfies FlagTable

type Own<T extends FlagTable> = Omit<FlagValues<T>, keyof typeof globalTable>

export type ExecFlags = Own<typeof execTable>
export type RunFlags = Own<typeof runTable>
export type ShellFlags = Own<typeof shellTable>
export type AttachFlags = Own<typeof attachTable>
