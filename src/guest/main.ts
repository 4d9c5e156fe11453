import { setFlagsFromString } from 'node:v8'
import { Place } from '../protocol/index.ts'
import { readConfig } from './config.ts'
import { removeDoors } from './doors.ts'
import { createDirectServer } from './direct.ts'
import { Guest } from './guest.ts'
import { type Door, findFree, listen } from './listen.ts'
import { createGuestServer } from './server.ts'

const THREADS_MS = 25
const [file] = process.argv.slice(2)

process.title = 'amux-guest'
process.on('SIGHUP', () => undefined)
process.on('uncaughtException', survive)
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

await main()

async function main(): Promise<void> {
  if (file === undefined) return stop('usage: guest CONFIG.json', 2)
  const config = await readConfig(file).catch((error: unknown) => stop(String(error), 2))
  if (config === undefined) return
  process.chdir('/')
  // Before anything else: two guests would take each other's sessions away.
  const free = await findFree(config, Place.guestSocket).then(() => true, (error: unknown) => stop(String(error), 3))
  if (free === undefined) return
  const doors: Door[] = []
  function end(): void {
    for (const door of doors) door.release()
    leave()
  }
  async function stopAll(): Promise<void> {
    await Promise.all([guest.engine.stop(), guest.services.stop()])
    end()
  }
  const guest = new Guest(config, end)
  // The computer stops, and every session with it.
  process.on('SIGTERM', () => {
    void stopAll()
  })
  // Another guest takes over: the sessions live on.
  process.on('SIGINT', () => {
    guest.services.release()
    end()
  })
  await guest.engine.recover()
  removeDoors(config.run)
  try {
    doors.push(await listen(createGuestServer(guest), config, Place.guestSocket))
    // After the other, which says whether this guest may be here at all.
    doors.push(await listen(createDirectServer(guest), config, Place.directSocket))
  } catch (error) {
    process.stderr.write(`amux guest: ${String(error)}\n`)
    process.exit(3)
  }
  guest.hide = () => {
    const back = doors.map((door) => door.hide())
    return () => back.forEach((show) => show())
  }
  // Only the guest that may be here starts them.
  await guest.services.begin()
  guest.stopper.begin()
}

function stop(message: string, status: number): undefined {
  process.stderr.write(`amux guest: ${message}\n`)
  process.exitCode = status
}

/**
 * When it exits, Node waits for its threads, and one that compiles may be waiting for the main one, for ever. So none
 * begins any more, and those that have begun are given a moment.
 */
function leave(): void {
  for (const flag of ['--no-maglev', '--no-opt', '--no-sparkplug']) setFlagsFromString(flag)
  setTimeout(() => process.exit(0), THREADS_MS)
}

/**
 * A connection that breaks somewhere nobody listens is no reason to cut everybody off. Anything else is a defect: the
 * process ends, the supervisor starts another, and sessions live on in their holders.
 */
function survive(error: unknown): void {
  process.stderr.write(`amux guest: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code === 'string' && /^(EPIPE|ECONNRESET|ECANCELED|ERR_HTTP2_|ERR_STREAM_)/.test(code)) return
  // Not an exit, which waits for what may never come.
  process.kill(process.pid, 'SIGKILL')
}
