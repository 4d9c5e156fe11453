import assert from 'node:assert/strict'
import type { EquippedComputer, LogChunk, ServiceInfo } from '../../contract/index.ts'
import { hasCode } from '../../errors/index.ts'
import { rejects, rejectsNamed, scratch, sh, stops, until } from './helpers.ts'
import type { Topic } from './topic.ts'

/** Says that it began, then stays. */
const staying = (text: string) => ['sh', '-c', `echo "${text}"; exec sleep 100000`]

async function said(computer: EquippedComputer, name: string): Promise<string> {
  const chunks: LogChunk[] = []
  for await (const chunk of computer.services.logs(name, { stream: 'stdout' })) chunks.push(chunk)
  return Buffer.concat(chunks.map(({ data }) => data)).toString()
}

async function running(computer: EquippedComputer, name: string): Promise<ServiceInfo> {
  return until(`${name} runs`, async () => {
    const info = await computer.services.get(name)
    return info.state === 'running' && info
  })
}

export const services: Topic = {
  name: 'services',
  needs: 'services',
  use: async (bench) => (await bench.computer()).services.list(),
  tests: {
    'one that is set runs as it was told to, and says so': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      const spec = { argv: ['sh', '-c', 'echo "$PWD $CONF_VALUE"; exec sleep 100000'], cwd: directory, env: { CONF_VALUE: 'a "b" $c' } }
      const made = await computer.services.set('conf-one', spec)
      assert.ok(made.state === 'running' || made.state === 'starting', made.state)
      const info = await running(computer, 'conf-one')
      assert.deepEqual({ argv: info.argv, cwd: info.cwd, env: info.env, restarts: info.restarts }, { ...spec, restarts: 0 })
      assert.ok((info.pid ?? 0) > 0 && !Number.isNaN(Date.parse(info.startedAt ?? '')))
      await until('its output is kept', async () => (await said(computer, 'conf-one')) === `${await sh(computer, 'cd "$1" && pwd', directory)} a "b" $c\n`)
      assert.ok((await computer.services.list()).some(({ name }) => name === 'conf-one'))
      assert.ok(!(await computer.sessions.list()).some(({ argv }) => argv.join(' ').includes('CONF_VALUE')), 'a service is no session')
      await computer.services.remove('conf-one')
      await rejectsNamed(computer, computer.services.get('conf-one'), 'not_found')
    },
    'one that ends is started again, and counted; a stop is kept': async (bench) => {
      const computer = await bench.computer()
      await computer.services.set('conf-again', { argv: staying('begun') })
      const { pid } = await running(computer, 'conf-again')
      await computer.services.signal('conf-again', 'SIGKILL')
      const again = await until('it runs again', async () => {
        const info = await computer.services.get('conf-again')
        return info.state === 'running' && info.pid !== pid && info
      })
      assert.equal(again.restarts, 1)
      await until('both starts are in its log', async () => (await said(computer, 'conf-again')) === 'begun\nbegun\n')
      assert.equal((await computer.services.stop('conf-again')).state, 'stopped')
      await rejects(computer.services.signal('conf-again', 'SIGTERM'), 'not_running', 'conflict')
      const stopped = await stops(computer)
      if (stopped) await computer.start()
      assert.equal((await computer.services.get('conf-again')).state, 'stopped')
      await computer.services.start('conf-again')
      await running(computer, 'conf-again')
      if (stopped) {
        await computer.stop()
        await computer.start()
        await running(computer, 'conf-again')
      }
      await computer.services.remove('conf-again')
    },
    'one that crashes at once is failed, and nothing else is harmed': async (bench) => {
      const computer = await bench.computer()
      await computer.services.set('conf-crash', { argv: ['sh', '-c', 'exit 3'] })
      const failed = await until('it failed', async () => {
        const info = await computer.services.get('conf-crash')
        return info.state === 'failed' && info
      })
      assert.ok(failed.problem !== undefined)
      await computer.services.set('conf-none', { argv: ['amux-no-such-program'] }).catch((error: unknown) => {
        if (!hasCode(error, 'program_not_found', 'failed')) throw error
      })
      assert.equal(await sh(computer, 'echo alive'), 'alive')
      for (const name of ['conf-crash', 'conf-none']) await computer.services.remove(name).catch(() => {})
    },
    'what it needs is started first, and not removed before it': async (bench) => {
      const computer = await bench.computer()
      const { services } = computer
      await services.set('conf-base', { argv: staying('base') }, { start: false })
      await services.set('conf-top', { argv: staying('top'), needs: ['conf-base'] })
      await running(computer, 'conf-base')
      await running(computer, 'conf-top')
      await rejects(services.remove('conf-base'), 'conflict')
      await services.remove('conf-top')
      await services.remove('conf-base')
    },
    'one HTTP port is enough': async (bench) => {
      const { services } = await bench.computer()
      await services.set('conf-web', { argv: staying('web'), httpPort: 8081 })
      assert.equal((await services.get('conf-web')).httpPort, 8081)
      await rejects(services.set('conf-web2', { argv: staying('web2'), httpPort: 8082 }), 'conflict')
      await services.remove('conf-web')
      await services.remove('conf-web2').catch(() => {})
    },
    'what is none is refused': async (bench) => {
      const computer = await bench.computer()
      for (const name of ['../up', 'Upper', '', 'a b']) await rejects(computer.services.set(name, { argv: ['true'] }), 'invalid_argument', 'not_found')
      await rejects(computer.services.set('conf-empty', { argv: [] }), 'invalid_argument')
      for (const work of [() => computer.services.start('conf-nobody'), () => computer.services.stop('conf-nobody'), () => computer.services.restart('conf-nobody'), () => computer.services.remove('conf-nobody')]) {
        await rejectsNamed(computer, work(), 'not_found')
      }
    },
  },
}
