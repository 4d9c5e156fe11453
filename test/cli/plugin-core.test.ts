import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { linkFolders } from '../support/plugins.ts'

/** As a stranger writes it: plain objects, and amux's own machinery by the hook. */
const command = `
const command = {
  summary: 'Say what was said.',
  args: { word: { description: 'A word.', required: true } },
  flags: {
    loud: { type: 'boolean', char: 'l', summary: 'In capitals.' },
    times: { type: 'option', char: 'n', summary: 'How often.', helpValue: 'NUMBER' },
    tag: { type: 'option', summary: 'A tag.', multiple: true },
  },
  async execute(call) {
    const { args, flags, rest } = call
    if (args.word === 'ask') await call.confirm('Really?')
    if (args.word === 'table') return call.table([{ n: 1 }], { number: ({ n }) => n })
    if (args.word === 'settings') return call.data(await call.settings('local'), () => 'settings')
    if (args.word === 'missing') throw Object.assign(new Error('no such word'), { code: 'not_found', hint: 'Say another.' })
    if (args.word === 'wait') await new Promise((_, reject) => setInterval(() => {}, 1000) && call.signal.addEventListener('abort', () => reject(call.signal.reason)))
    call.note('a note')
    call.data({ word: args.word, flags, rest }, () => flags.loud ? args.word.toUpperCase() : args.word)
    return args.word === 'three' ? 3 : 0
  },
}
export default { ...command, strict: false, run: async function (argv, config) {
  const { successes: [core] } = await config.runHook('amux:core', {})
  return core.result({ ...command, id: this.id }, argv)
} }
`

describe("A plugin's command that is run with amux's own machinery", () => {
  let scratch: Scratch
  before(async () => {
    scratch = await Scratch.make()
    const directory = join(scratch.home, 'data/echo')
    const manifest = { name: 'echo', version: '1.0.0', type: 'module', oclif: { commands: './commands' } }
    for (const [file, text] of Object.entries({ 'package.json': JSON.stringify(manifest), 'commands/echo/say.js': command })) {
      await mkdir(dirname(join(directory, file)), { recursive: true })
      await writeFile(join(directory, file), text)
    }
    await linkFolders(scratch.home, { echo: directory })
  })
  after(() => scratch.dispose())

  it('gets its flags, its arguments and what follows the dashes', async () => {
    const { stdout } = await scratch.run(['echo', 'say', 'hello', '--json', '-l', '--times', '2', '--tag', 'a', '--tag', 'b', '--', 'x', '--', '--y'])
    const document: unknown = JSON.parse(stdout)
    expect(document).to.deep.include({ word: 'hello', rest: ['x', '--', '--y'] })
    expect((document as { flags: object }).flags).to.include({ loud: true, times: '2' }).and.to.deep.include({ tag: ['a', 'b'] })
  })

  it('prints data on stdout and notes on stderr, and gives its status', async () => {
    expect(await scratch.run(['echo', 'say', 'three', '-l'])).to.deep.equal({ status: 3, stdout: 'THREE\n', stderr: 'a note\n' })
    expect((await scratch.run(['echo', 'say', 'table'])).stdout).to.equal('NUMBER\n1\n')
    expect((await scratch.json(['echo', 'say', 'settings'])).document).to.deep.equal({})
  })

  it('fails as amux does: what it throws, what is misused, what nobody can be asked', async () => {
    const missing = await scratch.json<ErrorDocument>(['echo', 'say', 'missing'])
    expect([missing.status, missing.document.error.code, missing.document.error.hint]).to.deep.equal([3, 'not_found', 'Say another.'])
    const misused = await scratch.json<ErrorDocument>(['echo', 'say', 'x', '--nonsense'])
    expect([misused.status, misused.document.error.code]).to.deep.equal([2, 'invalid_argument'])
    expect((await scratch.run(['echo', 'say'])).status).to.equal(2)
    const asked = await scratch.json<ErrorDocument>(['echo', 'say', 'ask'])
    expect([asked.status, asked.document.error.code]).to.deep.equal([5, 'confirmation_required'])
    expect((await scratch.run(['echo', 'say', 'ask', '--yes'])).status).to.equal(0)
    expect((await scratch.run(['echo', 'say', 'wait', '--timeout', '1'])).status).to.equal(124)
  })

  it('has a page in help', async () => {
    const { stdout } = await scratch.run(['echo', 'say', '--help'])
    expect(stdout).to.include('Say what was said.').and.include('--times=NUMBER')
  })
})
