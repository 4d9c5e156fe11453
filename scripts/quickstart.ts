/**
 * The main job, shown with real commands in a scratch project. Everything below the `$` lines is what amux itself
 * prints. The scratch project and its computer are deleted at the end, and nothing else.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const amux = join(import.meta.dirname, '..', 'bin', 'run.js')
const project = mkdtempSync(join(tmpdir(), 'quickstart-'))
const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined

main().catch((error: unknown) => {
  process.stderr.write(`\nquickstart: ${error instanceof Error ? error.message : String(error)}\n`)
  cleanUp()
  process.exitCode = 1
})

async function main(): Promise<void> {
  const provider = choose()
  if (provider === undefined) return
  spawnSync('git', ['init', '-q', project])
  writeFileSync(join(project, 'hello.txt'), 'hello from the project\n')

  title('A durable computer for this project')
  run('computer', 'create', '--provider', provider)
  run('computer', 'exec', '--', 'cat', 'hello.txt')

  title('Install something on it: this machine stays as it is')
  run('computer', 'exec', '--', 'npm', 'install', '--global', '--loglevel=error', '--no-fund', 'cowsay')
  run('computer', 'exec', '--', 'cowsay', 'installed on the computer')

  title('A coding agent, installed when it is missing')
  run('claude', '--', '--version')

  title('A long session whose client is killed')
  await killedClient()

  title('Stop, start: everything is still there')
  run('computer', 'stop')
  run('computer', 'start')
  run('computer', 'exec', '--', 'cowsay', 'still here')

  title('Go back in time: the disk and the project')
  run('computer', 'checkpoint', 'create', '-m', 'all is well')
  run('computer', 'exec', '--', 'sh', '-c', 'rm hello.txt; echo oops > ~/oops')
  run('computer', 'checkpoint', 'diff')
  run('computer', 'undo', '--yes')
  run('computer', 'exec', '--', 'cat', 'hello.txt')

  title('What this computer can do')
  run('computer', 'capabilities')

  title('Clean up: only ever on request')
  run('computer', 'rm', '--yes')
  cleanUp()
  next(provider)
}

/** The local provider where it works, else Docker where it is installed and works, else the reasons. */
function choose(): string | undefined {
  const reasons: string[] = []
  for (const id of ['local', 'docker']) {
    const reply = spawnSync(process.execPath, [amux, 'provider', 'info', id, '--json'], { encoding: 'utf8', cwd: project })
    const answer = parse(reply.stdout)
    if (answer?.health?.ok === true) return id
    reasons.push(`  ${id}: ${answer?.health?.message ?? answer?.error?.message ?? reply.stderr.trim()}`)
    const hint = answer?.health?.hint ?? answer?.error?.hint
    if (hint !== undefined) reasons.push(`         ${hint}`)
  }
  process.stderr.write(`quickstart: no provider works on this machine.\n${reasons.join('\n')}\n`)
  cleanUp()
  process.exitCode = 4
  return undefined
}

interface Answer {
  readonly health?: { readonly ok: boolean; readonly message: string; readonly hint?: string }
  readonly error?: { readonly message: string; readonly hint?: string }
}

function parse(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return undefined
  }
}

async function killedClient(): Promise<void> {
  const script = 'for i in 1 2 3 4 5 6 7 8; do echo "step $i of 8"; sleep 0.4; done; echo finished'
  const argv = ['computer', 'exec', '--', 'sh', '-c', script]
  show(argv)
  const client = spawn(process.execPath, [amux, ...argv], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] })
  await printed(client, 'step 3')
  client.kill('SIGKILL')
  await new Promise((done) => client.once('close', done))
  process.stdout.write(dim('(the client was killed with SIGKILL)\n'))
  run('computer', 'session', 'ls')
  run('computer', 'attach')
}

function printed(client: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = ''
    client.stdout?.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk)
      seen += chunk.toString()
      if (seen.includes(text)) resolve()
    })
    client.once('exit', (code) => reject(new Error(`the session's client ended early with ${code}`)))
  })
}

function run(...argv: string[]): void {
  show(argv)
  const { status } = spawnSync(process.execPath, [amux, ...argv], { cwd: project, stdio: 'inherit' })
  if (status !== 0) throw new Error(`amux ${argv.join(' ')} ended with ${status}`)
}

function show(argv: readonly string[]): void {
  const words = argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
  process.stdout.write(`${bold(`$ amux ${words.join(' ')}`)}\n`)
}

function title(text: string): void {
  process.stdout.write(`\n${dim(`# ${text}`)}\n`)
}

function next(provider: string): void {
  process.stdout.write(
    [
      '',
      'Now your own project:',
      '',
      '  npm install --global .                        # once, here: the command `amux`, for Node 22.12 or newer',
      '  cd YOUR-PROJECT',
      `  amux computer create --provider ${provider}`,
      '  amux claude',
      '',
      `Without installing anything: ${process.execPath} ${amux} --help`,
      '',
    ].join('\n'),
  )
}

function cleanUp(): void {
  spawnSync(process.execPath, [amux, 'computer', 'rm', '--yes'], { cwd: project, stdio: 'ignore' })
  rmSync(project, { recursive: true, force: true })
}

function bold(text: string): string {
  return colour ? `\u001B[1m${text}\u001B[0m` : text
}

function dim(text: string): string {
  return colour ? `\u001B[2m${text}\u001B[0m` : text
}
