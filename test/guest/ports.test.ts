import { expect } from 'chai'
import { type ChildProcess, spawn } from 'node:child_process'
import { after, before, describe, it } from 'mocha'
import { readFileSync } from 'node:fs'
import type { ListeningPort, PortEvent } from '../../src/contract/index.ts'
import { parseTable } from '../../src/guest/ports/listening.ts'
import { parseOpenFiles } from '../../src/guest/ports/theirs.ts'
import { Solo } from './solo.ts'

const HEADING = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const line = (local: string, state: string, inode: number): string => `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`

describe('listening ports', () => {
  let solo: Solo
  const children: ChildProcess[] = []
  before(async () => {
    solo = await Solo.open()
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await solo.close()
  })

  /** A program that listens; resolves with its port. */
  async function serve(host: string): Promise<{ child: ChildProcess; port: number }> {
    const script = `const s = require('net').createServer().listen(0, ${JSON.stringify(host)}, () => console.log(s.address().port))`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    const port = await new Promise<number>((resolve) => child.stdout?.once('data', (bytes: Buffer) => resolve(Number(bytes.toString()))))
    return { child, port }
  }

  it('are read from the kernel\'s tables', () => {
    const text = `${HEADING}${line('0100007F:1F90', '0A', 11)}${line('00000000:0016', '0A', 12)}${line('0100007F:1F91', '01', 13)}`
    expect(parseTable(text)).to.deep.equal([{ address: '127.0.0.1', port: 8080, inode: '11', uid: 0 }, { address: '0.0.0.0', port: 22, inode: '12', uid: 0 }])
    const six: Readonly<Record<string, string>> = {
      '00000000000000000000000000000000': '::',
      '00000000000000000000000001000000': '::1',
      '0000000000000000FFFF00000100007F': '127.0.0.1',
      B80D0120000000000000000001000000: '2001:db8::1',
      '000080FE00000000FF005450DCBAFEFF': 'fe80::5054:ff:feff:badc'.replace('feff:badc', 'fffe:badc'),
    }
    for (const [hex, address] of Object.entries(six)) expect(parseTable(`${HEADING}${line(`${hex}:0050`, '0A', 1)}`), hex).to.deep.equal([{ address, port: 80, inode: '1', uid: 0 }])
    expect(parseTable('')).to.deep.equal([])
  })

  it('are found among the open files that their user sees', () => {
    const text = '/proc/20/fd:\ntotal 0\nlrwx------ 1 amux amux 64 Nov 26 13:08 3 -> socket:[11]\n\n/proc/7/fd:\ntotal 0\nlr-x------ 1 1001 1001 64 Nov 26 13:08 0 -> /tmp/a socket:[12]\nlrwx------    1 amux     amux            64 Nov 26 13:08 4 -> socket:[11]\nlrwx------ 1 amux amux 64 Nov 26 13:08 5 -> socket:[13]\n'
    expect([...parseOpenFiles(text)]).to.deep.equal([['11', 7], ['13', 7]])
    expect([...parseOpenFiles('')]).to.deep.equal([])
  })

  it('are listed with their program, by port', async () => {
    const one = await serve('127.0.0.1')
    const other = await serve('::')
    const { ports } = await solo.json<{ ports: ListeningPort[] }>('GET', '/v1/ports')
    const comm = readFileSync(`/proc/${one.child.pid}/comm`, 'utf8').trim()
    expect(ports).to.deep.include({ port: one.port, address: '127.0.0.1', pid: one.child.pid, program: comm })
    expect(ports).to.deep.include({ port: other.port, address: '::', pid: other.child.pid, program: comm })
    expect(ports.map(({ port }) => port)).to.deep.equal(ports.map(({ port }) => port).toSorted((a, b) => a - b))
    expect(ports.some(({ pid }) => pid === solo.process?.pid), 'the guest\'s own').to.equal(false)
  })

  it('are told as they open and close, to everybody who listens', async () => {
    const there = await serve('127.0.0.1')
    const watchers = [1, 2].map(() => {
      const events: PortEvent[] = []
      const stream = solo.open('GET', '/v1/ports/events')
      let rest = ''
      stream.on('data', (bytes: Buffer) => {
        const lines = (rest + bytes.toString()).split('\n')
        rest = lines.pop() ?? ''
        events.push(...lines.map((text) => JSON.parse(text) as PortEvent))
      })
      return { stream, events }
    })
    const seen = async (type: string, port: number): Promise<void> => {
      const all = (): boolean => watchers.every(({ events }) => events.some((event) => event.type === type && event.port === port))
      while (!all()) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await seen('opened', there.port)
    const next = await serve('127.0.0.1')
    await seen('opened', next.port)
    next.child.kill('SIGKILL')
    await seen('closed', next.port)
    expect(watchers[0]?.events.find(({ port, type }) => port === next.port && type === 'closed')).to.include({ pid: next.child.pid, address: '127.0.0.1' })
    for (const { stream } of watchers) stream.destroy()
  })
})
