import assert from 'node:assert/strict'
import type { Capability, CapabilityId } from '../../contract/index.ts'
import type { Topic } from './topic.ts'

const ids: readonly CapabilityId[] = ['disk', 'exec', 'tty', 'sessions', 'files', 'archive', 'tunnel', 'ports', 'idle', 'idle-stop', 'checkpoints', 'export', 'fork', 'network', 'publish', 'isolation', 'users']
const members = ['sessions', 'files', 'archive', 'tunnel', 'ports', 'idle', 'checkpoints', 'network'] as const
const rank = { unavailable: 0, emulated: 1, native: 2 } as const

/** A provider tells the tests what it tells its users. */
export const honesty: Topic = {
  name: 'capabilities',
  tests: {
    'the descriptor is one': async ({ descriptor }) => {
      assert.equal(descriptor.apiVersion, 1)
      assert.match(descriptor.id, /^[a-z][a-z0-9-]*$/)
      assert.ok(descriptor.title.trim() !== '')
      for (const { key, summary } of descriptor.settings ?? []) assert.ok(key !== '' && summary !== '', `setting ${key} needs a summary`)
      for (const [id, capability] of Object.entries(descriptor.capabilities)) checkOne(id, capability)
    },
    'every capability of a computer has a fidelity, and a reason where it is not native': async (bench) => {
      const capabilities = await bench.capabilities()
      for (const id of ids) checkOne(id, capabilities[id])
    },
    'a computer that falls short of the declaration says so in info': async (bench) => {
      const computer = await bench.computer()
      const [capabilities, info] = await Promise.all([computer.capabilities(), computer.info()])
      for (const id of ids) {
        const declared = bench.descriptor.capabilities[id]
        if (declared === undefined || rank[capabilities[id].fidelity] >= rank[declared.fidelity]) continue
        assert.ok(info.capabilities?.[id] !== undefined, `${id} is ${capabilities[id].fidelity}, declared ${declared.fidelity}, and info does not say why`)
      }
    },
    'what health promises, a computer has': async (bench) => {
      const { capabilities: promised = {} } = await (await bench.provider()).health()
      const capabilities = await bench.capabilities()
      for (const id of ids) {
        const one = promised[id]
        if (one !== undefined) assert.ok(rank[capabilities[id].fidelity] >= rank[one.fidelity], `health promises ${one.fidelity} ${id}`)
      }
    },
    'what is declared native is there': async (bench) => {
      const computer = await bench.computer()
      const raw = await (await bench.provider()).get(computer.name)
      // A guest that is part of the computer counts as its own.
      if (raw.guest?.booted === true) return
      const info = await raw.info()
      for (const id of members) {
        const said = info.capabilities?.[id] ?? bench.descriptor.capabilities[id]
        assert.ok(said?.fidelity !== 'native' || raw[id] !== undefined, `${id} is declared native and missing`)
      }
    },
    'members a provider brings are declared': async (bench) => {
      const computer = await bench.computer()
      const raw = await (await bench.provider()).get(computer.name)
      for (const id of members) {
        if (raw[id] === undefined) continue
        const said = (await raw.info()).capabilities?.[id] ?? bench.descriptor.capabilities[id]
        assert.notEqual(said?.fidelity, 'unavailable', `${id} is there and declared unavailable`)
      }
    },
  },
}

function checkOne(id: string, { fidelity, note }: Capability): void {
  assert.ok(fidelity in rank, `${id}: fidelity ${fidelity}`)
  if (fidelity === 'native') return
  assert.ok(note !== undefined && note.trim() !== '' && !note.includes('\n'), `${id} is ${fidelity} and needs a note of one line`)
}
