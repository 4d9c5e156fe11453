import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectContext, Provider } from '../../../src/contract/index.ts'
import { policyText } from '../../../src/emulation/network/text.ts'
import { kit } from '../../provider-local/test/support.ts'
import { inspectImage } from '../src/images/image.ts'
import { Client } from '../src/client.ts'
import { type Leftover, leftoversOf } from '../src/gc.ts'
import { DEFAULT_IMAGE } from '../src/names.ts'
import { descriptor } from '../src/register.ts'

const SOCKET = '/var/run/docker.sock'
const folders = ['/usr/sbin', '/usr/bin', '/usr/local/bin']
const has = (program: string) => folders.some((folder) => existsSync(join(folder, program)))
export const mayStart = process.getuid?.() === 0 && has('dockerd')

/** Whether there is an engine to test with, or one can be started. Where there must be, its absence fails. */
export const hasEngine = mayStart || process.env['DOCKER_HOST'] !== undefined || existsSync(SOCKET) || process.getuid?.() === 0 || process.env['CI'] !== undefined

if (!hasEngine) console.warn('\n!!! NO DOCKER ENGINE: nothing of the Docker provider is tested. Start one, or say where it is: DOCKER_HOST\n')

let ready: Promise<void> | undefined
let before: ReadonlySet<string> = new Set()

/** What is there by now, and was not when the first test asked for an engine. */
export async function leftHere(): Promise<readonly Leftover[]> {
  return ready === undefined ? [] : (await everything()).filter(({ name }) => !before.has(name))
}

/** With what was made just now and never started: after the last test nobody is about to. */
function everything(): Promise<readonly Leftover[]> {
  return leftoversOf(new Client(), Date.now() + 24 * 3_600_000)
}

/** An engine that answers, with the template of computers; both made first where they are missing. */
export function engine(): Promise<void> {
  return (ready ??= prepare())
}

async function prepare(): Promise<void> {
  if (process.env['DOCKER_HOST'] === undefined && !(await answers())) await start()
  before = new Set((await everything()).map(({ name }) => name))
  if (await inspectImage(new Client(), DEFAULT_IMAGE)) return
  const dir = mkdtempSync(join(tmpdir(), 'amux-docker-'))
  try {
    const provider = await connectDocker(dir)
    await provider.templates?.build(has('debootstrap') ? { rootfs: debian(dir) } : {})
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

export async function connectDocker(dataDir: string, change: Partial<ConnectContext> = {}): Promise<Provider> {
  return descriptor.connect({ settings: {}, dataDir, progress: () => {}, debug: () => {}, guest: await kit(), policyText, ...change })
}

/** No registry is needed for it, only a mirror of Debian's packages. */
function debian(dir: string): string {
  const [root, tar] = [join(dir, 'root'), join(dir, 'root.tar')]
  execFileSync('debootstrap', ['--variant=minbase', 'bookworm', root], { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync('tar', ['-C', root, '-cf', tar, '.'])
  return tar
}

/** Our own, for as long as the tests run. */
async function start(): Promise<void> {
  if (!mayStart) throw new Error(`there is no Docker engine at ${SOCKET}, and dockerd cannot be started here`)
  const log = join(tmpdir(), `amux-dockerd-${process.pid}.log`)
  const out = openSync(log, 'w')
  const child = spawn('dockerd', [], { stdio: ['ignore', out, out], detached: true })
  child.unref()
  process.once('exit', () => child.kill('SIGTERM'))
  for (const give = Date.now() + 60_000; Date.now() < give; await delay(100)) {
    if (child.exitCode !== null) break
    if (await answers()) return
  }
  throw new Error(`dockerd does not start: see ${log}`)
}

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(SOCKET)
    socket.once('connect', () => (socket.destroy(), resolve(true)))
    socket.once('error', () => resolve(false))
  })
}
