import assert from 'node:assert/strict'
import { rejects, rejectsNamed, run, sh, stops } from './helpers.ts'
import type { Topic } from './topic.ts'

const states = new Set(['running', 'stopped', 'starting', 'stopping', 'hibernating', 'broken'])

export const lifecycle: Topic = {
  name: 'lifecycle',
  tests: {
    'health tells whether it can be used, and does not throw': async (bench) => {
      const health = await (await bench.provider()).health()
      assert.equal(typeof health.ok, 'boolean')
      assert.ok(health.message.trim() !== '', 'health needs a line for people')
      assert.ok(health.ok, `the provider cannot be tested: ${health.message}`)
    },
    'a created computer runs and says who it is': async (bench) => {
      const computer = await bench.computer()
      const info = await computer.info()
      assert.equal(info.name, computer.name)
      assert.equal(info.state, 'running')
      assert.ok(!Number.isNaN(Date.parse(info.createdAt)), `createdAt is no date: ${info.createdAt}`)
      assert.deepEqual({ ...info.labels }, { ...bench.labels }, 'labels come back as they were given')
      assert.equal(await sh(computer, 'echo alive'), 'alive')
    },
    'a name that is taken is refused, and its computer untouched': async (bench) => {
      const computer = await bench.create()
      await sh(computer, 'echo precious > "$HOME/kept"')
      await rejects(bench.create({ name: computer.name }), 'already_exists')
      assert.equal(await sh(computer, 'cat "$HOME/kept"'), 'precious')
      await computer.delete()
    },
    'a name that is none is refused': async (bench) => {
      for (const name of ['', 'Upper', '../escape', 'a'.repeat(200), '-dash', 'with space']) {
        await rejects(bench.create({ name }), 'invalid_argument')
      }
    },
    'what is not there is not found': async (bench) => {
      await rejects((await bench.provider()).get(bench.name()), 'not_found')
    },
    'get finds it and does not wake it': async (bench) => {
      const computer = await bench.create()
      if (await stops(computer)) {
        const again = await bench.get(computer.name)
        assert.equal((await again.info()).state, 'stopped')
      }
      await computer.delete()
    },
    'starting a running one and stopping a stopped one is no error': async (bench) => {
      const computer = await bench.create()
      await computer.start()
      await computer.start()
      if (await stops(computer)) {
        await computer.stop()
        assert.equal((await computer.info()).state, 'stopped')
        await computer.start()
      }
      assert.equal((await computer.info()).state, 'running')
      assert.equal(await sh(computer, 'echo alive'), 'alive')
      await computer.delete()
    },
    'the disk outlives a stop, programs do not': async (bench) => {
      const computer = await bench.create()
      await sh(computer, 'echo here > "$HOME/file"')
      const sleeper = await computer.spawn(['sleep', '100000'])
      const ended = sleeper.exit.catch(() => 'unknown')
      if (await stops(computer)) {
        await ended
        await rejectsNamed(computer, run(computer, ['true']), 'not_running')
        await computer.start()
        assert.equal(await sh(computer, 'cat "$HOME/file"'), 'here')
        const running = await sh(computer, 'for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline 2>/dev/null; echo; done | grep -c "^sleep 100000" || true')
        // A computer that shows the whole machine may show another test's.
        if (bench.descriptor.capabilities.isolation?.fidelity === 'native') assert.equal(running, '0', 'a program outlived the stop')
      }
      await computer.delete()
    },
    'a deleted one is gone': async (bench) => {
      const computer = await bench.create()
      await computer.delete()
      await rejects((await bench.provider()).get(computer.name), 'not_found')
      await rejectsNamed(computer, computer.info(), 'not_found')
      await rejectsNamed(computer, computer.delete(), 'not_found')
      await rejectsNamed(computer, run(computer, ['true']), 'not_found', 'not_running')
    },
    'its name can be used again': async (bench) => {
      const first = await bench.create()
      await sh(first, 'echo old > "$HOME/file"')
      await first.delete()
      const second = await bench.create({ name: first.name })
      assert.equal(await sh(second, 'cat "$HOME/file" 2>/dev/null || echo fresh'), 'fresh')
      await second.delete()
    },
    'environment given at creation is everywhere, and in no metadata': async (bench) => {
      const computer = await bench.create({ env: { AMUX_CONF_SECRET: 'a b"c\n$d' } })
      assert.equal(await sh(computer, 'printf %s "$AMUX_CONF_SECRET"'), 'a b"c\n$d')
      if (await stops(computer)) {
        await computer.start()
        assert.equal(await sh(computer, 'printf %s "$AMUX_CONF_SECRET"'), 'a b"c\n$d', 'it is forgotten after a restart')
      }
      assert.ok(!JSON.stringify(await computer.info()).includes('a b'), 'info shows the environment')
      await computer.delete()
    },
    'a create that is given up leaves nothing behind': async (bench) => {
      const name = bench.name()
      await rejects(bench.create({ name, signal: AbortSignal.abort() }), 'aborted')
      await rejects((await bench.provider()).get(name), 'not_found')
    },
    'of two creates at once with one name, one wins': async (bench) => {
      const name = bench.name()
      const results = await Promise.allSettled([bench.create({ name }), bench.create({ name })])
      const [winner, ...others] = results.filter((result) => result.status === 'fulfilled')
      assert.ok(winner !== undefined && others.length === 0, 'exactly one must win')
      const loser = results.find((result) => result.status === 'rejected')
      await rejects(Promise.reject(loser?.reason), 'already_exists')
      assert.equal(await sh(winner.value, 'echo alive'), 'alive')
      await winner.value.delete()
    },
    'the state is one of the contract': async (bench) => {
      for await (const info of (await bench.provider()).list()) assert.ok(states.has(info.state), `state ${info.state}`)
    },
  },
}
