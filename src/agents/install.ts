import type { EquippedComputer, SessionInfo } from '../contract/index.ts'
import { fail, hasCode } from '../errors/index.ts'
import { ask, script } from './ask.ts'
import { type Findings, probe } from './probe.ts'
import type { Agent } from './roster.ts'
import { type ToolchainOptions, toolchain } from './toolchain.ts'

export interface InstallOptions extends ToolchainOptions {
  /** npm registry for the computer. Default: its own. */
  readonly registry?: string | undefined
}

/** Where the agent's program is on the computer; installs it from npm when it is not there. */
export async function ensureAgent(computer: EquippedComputer, agent: Agent, options: InstallOptions): Promise<string> {
  for (;;) {
    const found = await probe(computer, agent, options.signal)
    if (found.program !== undefined) return found.program
    const session = await installOnce(computer, agent, found, options)
    if (session) await conclude(computer, agent, session, found, options)
  }
}

/** No needless questions to the registry, and no minutes of trying again when it does not answer. */
const quick = ['--no-fund', '--no-audit', '--no-update-notifier', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=4000']

/**
 * npm runs in a session: it goes on when this client dies, and its name is the lock, for no two living sessions have
 * the same. Undefined: somebody else was installing, and is done.
 */
async function installOnce(computer: EquippedComputer, agent: Agent, found: Findings, options: InstallOptions): Promise<SessionInfo | undefined> {
  const name = `install-${agent.id}`
  const tools = await toolchain(computer, found, options)
  const argv = [...tools.npm, 'install', '--global', '--prefix', `${found.home}/.local`, ...quick, agent.package]
  const env = { PATH: tools.path, ...(options.registry === undefined ? {} : { npm_config_registry: options.registry }) }
  options.progress(`Installing ${agent.title} on ${computer.name}`)
  try {
    const command = script(INSTALL, agent.command, tools.node ?? '', ...argv)
    const started = await computer.sessions.start(command, {
      name,
      env,
      cwd: found.home,
      labels: { 'amux.install': agent.id },
      detached: true,
      stdin: false,
    })
    await started.detach()
    return await computer.sessions.wait(started.session.id, { signal: options.signal })
  } catch (error) {
    if (!hasCode(error, 'conflict')) throw error
  }
  options.progress(`Waiting for another amux that is installing ${agent.title} on ${computer.name}`)
  await waitFor(computer, name, options.signal)
  return undefined
}

/**
 * A program that needs Node.js gets the one it was installed with, if the computer's own does not do: without changing
 * the PATH of what the program itself starts. npm trusts what the computer trusts: Node.js alone has a list of its own,
 * which lacks what a company's network adds.
 */
const INSTALL = `
name=$1 node=$2; shift 2
for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
  [ -n "$NODE_EXTRA_CA_CERTS" ] || ! [ -r "$file" ] || export NODE_EXTRA_CA_CERTS="$file"
done
"$@" || exit
link=$HOME/.local/bin/$name
target=$(readlink -f "$link") || exit
[ -n "$node" ] || exit 0
case $(head -c 128 "$target" | tr -d '\\000' | head -n 1) in
'#!'*node*)
  printf '#!/bin/sh\\nexec "%s" "%s" "$@"\\n' "$node" "$target" > "$link.new" && chmod 755 "$link.new" && mv -f "$link.new" "$link" ;;
esac
`

async function waitFor(computer: EquippedComputer, name: string, signal: AbortSignal): Promise<void> {
  try {
    const { id } = await computer.sessions.get(name)
    await computer.sessions.wait(id, { signal })
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error
  }
}

/** Done is what answers, whatever npm said. */
async function conclude(computer: EquippedComputer, agent: Agent, session: SessionInfo, before: Findings, options: InstallOptions): Promise<void> {
  const ok = session.state.status === 'exited' && session.state.code === 0
  const found = ok ? await probe(computer, agent, options.signal) : before
  if (found.program === undefined) throw await notInstalled(computer, agent, session)
  await computer.sessions.remove(session.id)
  const { status, stdout, stderr } = await ask(computer, [found.program, '--version'], { signal: options.signal, env: agent.env ?? {} })
  if (status === 0) return
  throw fail('failed', `${agent.title} was installed on ${computer.name} but does not run: ${inWords(stderr || stdout) || `status ${status}`}`, {
    hint: `Try it: amux computer exec -c ${computer.name} -- ${agent.command} --version`,
    computer: computer.name,
  })
}

async function notInstalled(computer: EquippedComputer, agent: Agent, session: SessionInfo): Promise<Error> {
  const chunks: Uint8Array[] = []
  for await (const { data } of computer.sessions.logs(session.id, { tail: 40 })) chunks.push(data)
  const said = inWords(Buffer.concat(chunks).toString('utf8'))
  const all = `All it said: amux computer session logs ${session.id} -c ${computer.name}`
  return fail('failed', `${agent.title} could not be installed on ${computer.name}: ${said || 'npm said nothing'}`, {
    hint: /self-signed certificate|unable to (get local issuer|verify the first) certificate/.test(said) ? `${distrust(computer.name)}\n${all}` : all,
    computer: computer.name,
  })
}

/** Something on the way signs connections anew, as companies have it. */
function distrust(name: string): string {
  const line = 'sudo cp /tmp/ca.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates'
  return `The computer does not know who signs your network's connections. Give it that certificate:\n  amux computer cp ca.crt :/tmp/ca.crt -c ${name}\n  amux computer exec -c ${name} --shell -- '${line}'`
}

/** What npm says in words, without codes, stack and the place of its log. */
function inWords(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/^npm (error|ERR!|warn) ?/u, '').trim())
  const noise = /^$|^(code|syscall|errno|path|dest|file) |^at |^[a-z]\w*: .*,?$|^[{}]|^\w+$|^A complete log|^npm notice|-debug-0\.log$/u
  return lines.filter((line) => !noise.test(line)).slice(0, 2).join('; ')
}
