/** Verbs that hand a program's terminal, bytes and status through, and what is about sessions. */
export { ownLength } from './argv.ts'
export { attach, exec, programWords, shell, type VerbHost } from './exec.ts'
export { attachCommand, verbHost } from './host.ts'
export { LogPrinter } from './logs.ts'
export { oclifFlags } from './oclif.ts'
export { commandLine, sessionColumns, stateOf } from './session.ts'
export { attachTable, execTable, globalTable, launchTable, shellTable } from './tables.ts'
