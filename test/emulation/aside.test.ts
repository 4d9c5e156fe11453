import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Computer, Process } from '../../src/contract/index.ts'
import { escapeField, runTool, Tool } from '../../src/emulation/aside/index.ts'
import { parseAnswer } from '../../src/emulation/aside/answer.ts'
import { startProcess } from '../../src/testkit/process/process.ts'

describe('a tool aside', () => {
  let tools: string
  let computer: Pick<Computer, 'aside' | 'name'>
  let last: Process | undefined
  before(() => {
    tools = mkdtempSync(join(tmpdir(), 'amux-tools-'))
    computer = {
      name: 'c',
      aside: async ([program = '', ...args]) => (last = await startProcess([join(tools, basename(program)), ...args], { cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, signal: undefined })),
    }
  })
  after(() => rmSync(tools, { recursive: true }))

  const tool = (name: string, script: string) => {
    writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(tools, name), 0o755)
    return name
  }
  const failure = async (work: Promise<unknown>) => work.then(() => expect.fail('it should have failed'), (error: unknown) => error as Error & { code: string; hint?: string })

  it('says words and fields, and the last one counts', async () => {
    const seen: string[] = []
    const answer = await runTool(computer, [tool('say', "printf 'one\\ta%%09b\\ttwo words\\nlast\\t%s\\n' \"$1\""), 'x'], { onAnswer: ({ word }) => seen.push(word) })
    expect([seen, answer]).to.deep.equal([['one', 'last'], { word: 'last', fields: ['x'] }])
  })

  it('is told a whole request, and reads its end', async () => {
    const { word } = await runTool(computer, [tool('count', 'wc -c | tr -d " "')], { input: 'x'.repeat(300_000) })
    expect(word).to.equal('300000')
  })

  it('carries any text in a field', () => {
    for (const text of ['plain', 'tab\tnewline\nreturn\rpercent%09', '%', '%%41']) expect(parseAnswer(`w\t${escapeField(text)}`).fields).to.deep.equal([text])
  })

  it('reads what is escaped byte by byte', () => {
    expect(parseAnswer('w\tna%C3%AFve%20caf%C3%A9\t%E2%82%AC%FF').fields).to.deep.equal(['naïve café', '€\uFFFD'])
  })

  it('gives the failure that it names its meaning', async () => {
    const error = await failure(runTool(computer, [tool('full', "printf 'error\\t28\\tcopy\\ta%%20b\\tNo space left on device\\n'; exit 1")]))
    expect([error.code, error.message]).to.deep.equal(['quota_exceeded', 'copy a b: No space left on device'])
  })

  it('lets its user say what a failure means', async () => {
    const error = await failure(runTool(computer, ['full'], { explain: ({ errno, step }) => new Error(`${errno} in ${step}`) }))
    expect(error.message).to.equal('ENOSPC in copy')
  })

  it('fails with what it said last, where it names nothing', async () => {
    expect((await failure(runTool(computer, [tool('odd', 'echo first >&2; echo last >&2; exit 7')]))).message).to.match(/status 7: last/)
    expect((await failure(runTool(computer, [tool('dead', 'kill -9 $$')]))).message).to.match(/SIGKILL/)
  })

  it('finds a failure on stderr where stdout is bytes', async () => {
    const read = async () => {
      const running = await Tool.start(computer, [tool('bytes', "printf 'abc'; printf 'error\\t2\\tfind\\tx\\tNo such file or directory\\n' >&2; exit 1")])
      let text = ''
      for await (const chunk of running.bytes()) text += Buffer.from(chunk).toString()
      return text
    }
    expect((await failure(read())).code).to.equal('not_found')
  })

  it('ends when nobody listens any more', async () => {
    const running = await Tool.start(computer, [tool('long', 'echo begun; exec sleep 1000')])
    for await (const { word } of running.answers()) {
      expect(word).to.equal('begun')
      break
    }
    expect(await last?.exit).to.deep.equal({ signal: 'SIGKILL' })
  })

  it('does not wait for one that does not read', async () => {
    const error = await failure(runTool(computer, [tool('deaf', "exec <&-; printf 'error\\t22\\tplan\\t\\tno\\n'; exit 1")], { input: 'y'.repeat(1_000_000) }))
    expect(error.message).to.match(/plan/)
  })
})
