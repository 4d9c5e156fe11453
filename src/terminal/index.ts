/** A remote program in the local terminal, or between local pipes. */
export { DEFAULT_DETACH_KEYS, type Key, parseDetachKeys } from './detach-keys.ts'
export { drive, type DriveOptions } from './drive.ts'
export { type Around, type Launch, type Launched, launch, launchDetached, type Reattach, reattach } from './launch.ts'
export { type Local, processLocal } from './local.ts'
export { LocalSink } from './output.ts'
export { localSize } from './screen.ts'
export { exitCode, signalName, statusOf } from './status.ts'
