import type { ServerResponse } from 'node:http'
import type { NetworkPolicy } from '../../../../../src/contract/index.ts'
import { type Call, json, nothing } from '../http/call.ts'
import { notDone, refuse } from '../http/errors.ts'
import type { Routes } from '../http/router.ts'
import type { Served } from '../sprite/served.ts'

const COPY = '/.sprite/policy/network.json'

export const policyRoutes: Routes = {
  'GET /v1/sprites/:name/policy/network': async (call: Call, response: ServerResponse) => {
    json(response, 200, await (await call.sprite()).computer.network.get())
  },
  'POST /v1/sprites/:name/policy/network': async (call: Call, response: ServerResponse) => {
    const policy = policyOf(await call.document())
    const served = await call.sprite()
    await served.computer.network.set(policy)
    void show(served, policy)
    nothing(response)
  },
  'GET /v1/sprites/:name/policy/privileges': defaults({ profile: '' }),
  'POST /v1/sprites/:name/policy/privileges': () => {
    throw notDone("a local computer's privileges are fixed")
  },
  'DELETE /v1/sprites/:name/policy/privileges': reset,
  'GET /v1/sprites/:name/policy/resources': defaults({}),
  'POST /v1/sprites/:name/policy/resources': () => {
    throw notDone("a local computer has this machine's resources")
  },
  'DELETE /v1/sprites/:name/policy/resources': reset,
}

function defaults(document: object) {
  return async (call: Call, response: ServerResponse): Promise<void> => {
    await call.sprite()
    json(response, 200, document)
  }
}

async function reset(call: Call, response: ServerResponse): Promise<void> {
  await call.sprite()
  nothing(response)
}

function policyOf({ rules }: Readonly<Record<string, unknown>>): NetworkPolicy {
  const plain = (rule: unknown): boolean => rule instanceof Object && ('include' in rule ? rule.include === 'defaults' : 'domain' in rule && typeof rule.domain === 'string' && 'action' in rule && (rule.action === 'allow' || rule.action === 'deny'))
  if (Array.isArray(rules) && rules.every(plain)) return { rules: rules as NetworkPolicy['rules'] }
  throw refuse(400, 'invalid_request', 'a policy is {rules: [{domain, action: allow or deny} or {include: "defaults"}]}')
}

/** Where programs look for it. Not every computer has a place for it, and it is only for them to read. */
async function show({ computer }: Served, policy: NetworkPolicy): Promise<void> {
  await computer.files.write(COPY, Buffer.from(`${JSON.stringify(policy)}\n`), { parents: true, mode: 0o444 }).catch(() => undefined)
}
