/** All that talks to people and scripts. Commands build on `AmuxCommand`. */
export { ask, type Question } from './ask.ts'
export { assignments, createOptions } from './assignments.ts'
export { AmuxCommand } from './base.ts'
export { computerArg, describeState, ownComputer, pick, wakeComputer } from './computers.ts'
export { Context } from './context.ts'
export { type ComputerSelection, computerFlags, duration, providerFlag } from './flags.ts'
export { Output } from './output.ts'
export { type Columns, table } from './table.ts'
