import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ComputerRecord {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly createdAt: string
  readonly running: boolean
  readonly workspace?: string
}

export function recordFile(directory: string): string {
  return join(directory, 'computer.json')
}

export async function readRecord(directory: string): Promise<ComputerRecord> {
  // Its own file, written whole.
  return JSON.parse(await readFile(recordFile(directory), 'utf8')) as ComputerRecord
}

export async function writeRecord(directory: string, record: ComputerRecord): Promise<void> {
  const fresh = `${recordFile(directory)}.${process.pid}.${Math.random().toString(36).slice(2)}`
  await writeFile(fresh, JSON.stringify(record), { mode: 0o600 })
  await rename(fresh, recordFile(directory))
}
