import type { Scratch } from './amux.ts'

interface Row {
  readonly name: string
  readonly provider: string
  readonly state: string
}

/** Every computer of a scratch home, as `ls` shows them. */
export async function computers(scratch: Scratch): Promise<readonly Row[]> {
  return (await scratch.json<readonly Row[]>(['computer', 'ls'])).document
}

/** Deletes the computers first: what they have mounted is not for `rm`. */
export async function disposeAll(scratch: Scratch): Promise<void> {
  for (const { name, provider } of await computers(scratch)) {
    const { status, stderr } = await scratch.run(['computer', 'rm', name, '-P', provider, '--yes'])
    if (status !== 0) throw new Error(`${name} is left over: ${stderr}`)
  }
  await scratch.dispose()
}
