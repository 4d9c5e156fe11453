/**
 * Which project one is in, and which computers it has.
 *
 * A command: `openProject(findProject(), paths().state, {confirm})`, then `locate(store.read(), {provider, computer})`.
 * A hot command: `locateQuickly`, from `current.ts` itself.
 */
export { type Backend, type CreateContext, type Created, createComputer, gone } from './create.ts'
export { type Located, type Wanted, chosenProvider, locate, locatePending, locateQuickly } from './current.ts'
export { directoryOn, isPlaced, pathOn } from './directory.ts'
export { type Project, RECORD, findProject } from './find.ts'
export { type ForkRequest, type Forked, forkComputer } from './fork.ts'
export { type Inspection, type Standing, inspect } from './inspect.ts'
export { type Look, look } from './look.ts'
export { adopt, forget, isAnothers, isOurs, noteWorkspace, removeComputer, setAuto, startOptions } from './keep.ts'
export { type ListedComputer, type Listing, listComputers } from './list.ts'
export { computerName, isComputerName } from './names.ts'
export type { AutoCheckpoint, ComputerEntry, Config, ProjectRecord, ProviderEntry } from './record.ts'
export { type CreateRequest, plainRequest } from './request.ts'
export { searchComputer } from './search.ts'
export { type ProjectStore, type SettleOptions, doubt, openProject } from './store.ts'
export { otherWorktrees } from './worktrees.ts'
