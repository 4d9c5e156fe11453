/** Connections to a port that only listens inside a container, beside `docker exec -i socat`. */
import { spawn } from 'node:child_process'
import { type Socket, connect } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DockerLab, faster, shell, withDocker, within } from './docker-lab.ts'
import { type Row, median } from './measure.ts'

const PORT = 7000
const LOCAL = 17_998
const MANY = 50
const BIG = 2 ** 28
const ROUNDS = 3
/** Greets, then gives as much as it is asked for, also to who has ended its own half: socat does so early. */
const SERVER = `require('net').createServer({ allowHalfOpen: true }, (s) => { s.on('error', () => {}); s.write('!'); s.once('data', (d) => { let left = Number(d); const chunk = Buffer.alloc(65536); const more = () => { while (left > 0) { left -= chunk.length; if (!s.write(chunk)) return s.once('drain', more) } s.end() }; more() }) }).listen(${PORT}, '127.0.0.1', () => console.log('up'))`

export default function dockerTunnel(): Promise<readonly Row[]> {
  return withDocker(async (lab) => {
    await shell(lab, `docker exec ${lab.name} sh -c 'command -v socat >/dev/null || (apt-get update && apt-get install -y --no-install-recommends socat) >/dev/null'`)
    const at = { cwd: lab.scratch.project, env: lab.scratch.env(), stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'] }
    const server = spawn('docker', ['exec', lab.name, 'node', '-e', SERVER], at)
    await once(server.stdout, 'data')
    const [command = '', ...args] = lab.amux
    const proxy = spawn(command, [...args, 'computer', 'proxy', '-p', `${LOCAL}:${PORT}`], { ...at, stdio: 'ignore' })
    await until(() => greeted().then(() => true, () => false))
    try {
      return [...(await setUp()), await throughput(lab)]
    } finally {
      proxy.kill()
      server.kill('SIGKILL')
    }
  })
}

async function setUp(): Promise<readonly Row[]> {
  const [ones, many]: [number[], number[]] = [[], []]
  for (let round = 0; round < 100; round++) ones.push(await timed(() => greeted()))
  for (let round = 0; round < 7; round++) many.push(await timed(() => Promise.all(Array.from({ length: MANY }, greeted))))
  return [within('tunnel, to the first byte', median(ones), 2), within(`${MANY} tunnels at once`, median(many), 30)]
}

async function throughput(lab: DockerLab): Promise<Row> {
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(BIG / 1000 / (await timed(async () => drained(connect(LOCAL, '127.0.0.1')))))
    theirs.push(BIG / 1e6 / (await shell(lab, `echo ${BIG} | docker exec -i ${lab.name} socat -t 60 - TCP:127.0.0.1:${PORT} | wc -c | grep -qx ${BIG + 1}`)))
  }
  return faster('tunnel', median(ours), 'docker exec -i socat', median(theirs))
}

async function drained(socket: Socket): Promise<void> {
  let bytes = 0
  socket.write(String(BIG))
  for await (const chunk of socket) bytes += (chunk as Buffer).length
  if (bytes < BIG) throw new Error(`${bytes} bytes of ${BIG} came`)
}

async function greeted(): Promise<void> {
  const socket = connect(LOCAL, '127.0.0.1')
  await once(socket, 'data')
  socket.destroy()
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await sleep(100)
}
