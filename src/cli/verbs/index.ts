/** Verbs that hand a program's terminal, bytes and status through, for the commands. */
export { ownLength } from './argv.ts'
export { attach, exec, programWords, shell, type VerbHost } from './exec.ts'
export { verbHost } from './host.ts'
export { oclifFlags } from './oclif.ts'
export { titleOf } from './pick.ts'
export { attachTable, execTable, globalTable, shellTable } from './tables.ts'
