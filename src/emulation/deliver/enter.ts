import type { Duplex } from 'node:stream'
import type { Computer, GuestPlace } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { duplexOf } from '../../util/streams.ts'
import { parseProbe, type Probe } from './probe.ts'
import { lastWords, ROOT } from './run.ts'
import { enter } from './scripts.ts'

const BRIDGE = Buffer.from('amux\0bridge\0\0')
const PROBE = Buffer.from('amux\0probe\0')
const LONGEST = 4 * 1024 * 1024

/** Either the way in, or what is needed to make one. Usually with a single program on the computer. */
export async function enterComputer(computer: Computer, place: Partial<GuestPlace>, version: string): Promise<Duplex | Probe> {
  return (await attempt(computer, place, version, false)) ?? (await attempt(computer, place, version, true)) ?? unanswered()
}

/** Undefined when there is a socket that nobody serves. */
async function attempt(computer: Computer, place: Partial<GuestPlace>, version: string, onlyLook: boolean): Promise<Duplex | Probe | undefined> {
  const argv = ['sh', '-c', enter, 'sh', place.store ?? '', place.run ?? '', version, onlyLook ? 'look' : '']
  const program = await computer.spawn(argv, ROOT)
  program.exit.catch(() => {})
  const said = lastWords(program.stderr).catch(() => '')
  const close = () => void program.kill('SIGKILL').catch(() => {})
  const iterator = program.stdout[Symbol.asyncIterator]()

  let got = Buffer.alloc(0)
  for (;;) {
    const isBridge = got.subarray(0, BRIDGE.length).equals(BRIDGE)
    // The guest speaks first: its first byte says that it lives.
    if (isBridge && got.length > BRIDGE.length) {
      return duplexOf({ source: program.stdout, sink: program.stdin, close }, got.subarray(BRIDGE.length), iterator)
    }
    const next = await iterator.next()
    if (next.done === true) {
      if (isBridge) return undefined
      break
    }
    got = Buffer.concat([got, next.value])
    if (!isBridge && got.length > LONGEST) {
      close()
      throw fail('corrupt', 'the computer answers the probe without end', { source: 'transport' })
    }
  }
  if (got.subarray(0, PROBE.length).equals(PROBE)) return parseProbe(got.subarray(PROBE.length).toString())
  const words = await said
  throw fail('unsupported', `the guest cannot be brought to the computer${words === '' ? '' : `: ${words}`}`, { hint: 'It needs sh, id, uname and cat.' })
}

function unanswered(): never {
  throw fail('corrupt', 'the computer gave no sensible answer to the probe', { source: 'transport' })
}
