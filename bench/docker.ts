/** Commands on a running container: whole processes, keystrokes, streams, beside the docker CLI. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { spawn as openPty } from '@lydell/node-pty'
import { type DockerLab, against, faster, shell, withDocker, within } from './docker-lab.ts'
import { type Row, median, race } from './measure.ts'

const BIG = 2 ** 30
const KEYS = 400
const KEY_ROUNDS = 15
const MEMORY_MB = 150

export default function docker(): Promise<readonly Row[]> {
  return withDocker(async (lab) => [...(await short(lab)), ...(await keys(lab)), ...(await streams(lab)), await create(lab)])
}

async function short(lab: DockerLab): Promise<readonly Row[]> {
  const { amux, docker } = await race(15, { amux: () => lab.run('computer', 'exec', '--', 'true'), docker: () => lab.docker('exec', lab.name, 'true') })
  return [against('amux computer exec -- true', amux, 'docker exec', docker, 1)]
}

/** One at a time into a `cat` on a raw terminal. */
async function keys(lab: DockerLab): Promise<readonly Row[]> {
  const line = 'stty raw -echo; echo up; exec cat'
  const [ours, theirs]: [(readonly number[])[], (readonly number[])[]] = [[], []]
  // By turns, and many: where the system puts the processes makes a factor of ten.
  for (let round = 0; round < KEY_ROUNDS; round++) {
    ours.push(await echo([...lab.amux, 'computer', 'exec', '-it', '--', 'sh', '-c', line], lab))
    theirs.push(await echo(['docker', 'exec', '-it', lab.name, 'sh', '-c', line], lab))
  }
  const of = (rounds: readonly (readonly number[])[], share: number) => median(rounds.map((times) => at(times, share)))
  return [0.5, 0.99].map((share) => against(`keystroke echo, p${share * 100}`, of(ours, share), 'docker exec -it', of(theirs, share), 0.5))
}

async function echo([command = '', ...args]: readonly string[], { scratch }: DockerLab): Promise<readonly number[]> {
  const pty = openPty(command, args, { cols: 80, rows: 24, cwd: scratch.project, env: scratch.env() })
  let heard: (text: string) => void = () => {}
  pty.onData((text) => heard(text))
  const next = (wanted: string) => new Promise<void>((resolve) => (heard = (text) => void (text.includes(wanted) && resolve())))
  await next('up')
  const times: number[] = []
  for (let n = 0; n < KEYS; n++) {
    const begun = performance.now()
    const back = next('x')
    pty.write('x')
    await back
    times.push(performance.now() - begun)
  }
  pty.kill('SIGKILL')
  return times.slice(20)
}

function at(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? Number.NaN
}

async function streams(lab: DockerLab): Promise<readonly Row[]> {
  const ours = `${lab.amux.join(' ')} computer exec`
  const out = { ours: `${ours} -- head -c ${BIG} /dev/zero | cat`, docker: `docker exec ${lab.name} head -c ${BIG} /dev/zero | cat` }
  const into = { ours: `head -c ${BIG} /dev/zero | ${ours} -i -- wc -c | grep -qx ${BIG}`, docker: `head -c ${BIG} /dev/zero | docker exec -i ${lab.name} wc -c | grep -qx ${BIG}` }
  const rows: Row[] = []
  for (const [what, lines] of [['1 GiB of stdout', out], ['1 GiB of stdin', into]] as const) {
    const [mine, theirs]: [number[], number[]] = [[], []]
    for (let round = 0; round < 5; round++) {
      mine.push(BIG / 1e6 / (await shell(lab, lines.ours)))
      theirs.push(BIG / 1e6 / (await shell(lab, lines.docker)))
    }
    rows.push(faster(what, median(mine), 'docker exec', median(theirs)))
  }
  const most = await memory(lab)
  return [...rows, { what: 'docker: the client meanwhile, memory', ours: `${most.toFixed(0)} MB`, peer: '', target: `< ${MEMORY_MB} MB`, met: most < MEMORY_MB }]
}

async function memory({ scratch, amux: [command = '', ...args] }: DockerLab): Promise<number> {
  const client = spawn(command, [...args, 'computer', 'exec', '--', 'head', '-c', String(BIG), '/dev/zero'], { cwd: scratch.project, env: scratch.env(), stdio: ['ignore', 'pipe', 'inherit'] })
  client.stdout.resume()
  let most = 0
  const look = setInterval(() => {
    const status = readFileSync(`/proc/${client.pid}/status`, 'utf8')
    most = Math.max(most, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024)
  }, 25)
  await once(client, 'exit')
  clearInterval(look)
  return most
}

/** Of a second project: the engine has the image, amux knows it. */
async function create(lab: DockerLab): Promise<Row> {
  const times: number[] = []
  for (let n = 0; n < 5; n++) {
    const line = `mkdir -p ../other-${n} && cd ../other-${n} && ${lab.amux.join(' ')} computer create -P docker && ${lab.amux.join(' ')} computer exec -- true`
    times.push(1000 * (await shell(lab, line)))
    await shell(lab, `cd ../other-${n} && ${lab.amux.join(' ')} computer rm --yes`)
  }
  return within('create and the first command', median(times), 1000)
}
