import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { linkFolders } from '../support/plugins.ts'

const hello = `export default {
  id: 'cloud:hello', summary: 'Say hello.', flags: {}, args: {}, strict: false,
  async run(argv) {
    if (argv.includes('--fail')) throw Object.assign(new Error('no such cloud'), { code: 'not_found', hint: 'Look up.' })
    console.log(JSON.stringify(argv))
    return 3
  },
}`

describe("A plugin's own commands", () => {
  let scratch: Scratch
  before(async () => {
    scratch = await Scratch.make()
    const data = join(scratch.home, 'data')
    const sources = {
      good: { 'commands/cloud/hello.js': hello },
      throwing: { 'commands/throwing.js': 'throw new Error("boom")' },
      hanging: { 'commands/hanging.js': 'await new Promise(() => setInterval(() => {}, 1000))' },
    }
    for (const [name, files] of Object.entries(sources)) {
      const manifest = { name, version: '1.0.0', type: 'module', oclif: { commands: './commands', topics: { cloud: { description: 'Clouds.' } } } }
      for (const [file, text] of Object.entries({ ...files, 'package.json': JSON.stringify(manifest) })) {
        await mkdir(dirname(join(data, name, file)), { recursive: true })
        await writeFile(join(data, name, file), text)
      }
    }
    await linkFolders(scratch.home, Object.fromEntries(Object.keys(sources).map((name) => [name, join(data, name)])))
  })
  after(() => scratch.dispose())

  it('get what was typed, and give the exit status, whatever other plugins do', async () => {
    expect(await scratch.run(['cloud', 'hello', 'b', '--x', 'a', '--', 'c', '--', 'd'])).to.deep.equal({
      status: 3,
      stdout: '["b","--x","a","--","c","--","d"]\n',
      stderr: '',
    })
  })

  it('fail as amux does', async () => {
    const { status, document } = await scratch.json<ErrorDocument>(['cloud', 'hello', '--fail'])
    expect(status).to.equal(3)
    expect(document.error).to.include({ code: 'not_found', message: 'no such cloud', hint: 'Look up.' })
  })

  it('stand in help beside those of amux', async () => {
    const { stdout, stderr } = await scratch.run(['--help'])
    expect(stdout).to.match(/^ {2}cloud +Clouds/m).and.match(/^ {2}computer +/m)
    expect(stderr).to.equal('')
  })

  it('that cannot be loaded are named where they are missed, and by doctor', async () => {
    const missed = await scratch.run(['hanging'])
    expect(missed.status).to.equal(2)
    expect(missed.stderr).to.include('Plugin hanging did not load')
    const { status, stdout } = await scratch.run(['doctor'])
    expect(status).to.equal(1)
    for (const name of ['hanging', 'throwing']) expect(stdout).to.match(new RegExp(`plugin ${name} +broken +its commands cannot all be loaded`))
  })

  it('do not delay a command of amux', async () => {
    expect(await scratch.run(['status', '-q'])).to.include({ status: 0, stderr: '' })
  })
})
