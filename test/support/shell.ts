import { spawn } from 'node:child_process'
import { type Scratch, bin } from './amux.ts'

export interface Shelled {
  readonly status: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** A bash line in the project, in which `amux` is the built one. */
export function shell(scratch: Scratch, line: string): Promise<Shelled> {
  const script = `amux() { "${process.execPath}" "${bin}" "$@"; }\n${line}`
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/bash', ['-c', script], { cwd: scratch.project, env: scratch.env(), stdio: ['ignore', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }))
  })
}
