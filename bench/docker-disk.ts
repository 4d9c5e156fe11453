/** Many small files into and out of a container, and its checkpoints, beside tar and `docker commit`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DockerLab, against, shell, withDocker, within } from './docker-lab.ts'
import { type Row, median } from './measure.ts'

const FILES = 20_000
const ROUNDS = 5

export default function dockerDisk(): Promise<readonly Row[]> {
  return withDocker(async (lab) => {
    const tree = join(lab.scratch.path, 'tree')
    for (let n = 0; n < FILES; n++) {
      const dir = join(tree, String(n % 200))
      if (n < 200) mkdirSync(dir, { recursive: true })
      writeFileSync(join(dir, `${n}`), `file ${n}\n`.repeat(1 + (n % 60)))
    }
    return [...(await files(lab)), ...(await checkpoints(lab))]
  })
}

async function files(lab: DockerLab): Promise<readonly Row[]> {
  const amux = lab.amux.join(' ')
  const exec = `docker exec -i -w /root ${lab.name}`
  const [into, tarInto, out, tarOut]: [number[], number[], number[], number[]] = [[], [], [], []]
  // None pays for what another one has left to be written.
  const timed = async (times: number[], line: string) => {
    await shell(lab, 'sync')
    times.push(await shell(lab, line))
  }
  // Nothing is removed in between: for a minute, ext4 makes its way around every inode that was.
  for (let round = 0; round < ROUNDS; round++) {
    const [ours, theirs] = [`ours-${round}`, `theirs-${round}`]
    const ins = [
      () => timed(tarInto, `tar -C .. -cf - tree | ${exec} sh -c 'mkdir ${theirs} && tar -C ${theirs} -xf -'`),
      () => timed(into, `${amux} computer cp ../tree :/root/${ours}`),
    ]
    const outs = [() => timed(tarOut, `mkdir ../${theirs} && ${exec} tar -C ${theirs} -cf - . | tar -C ../${theirs} -xf -`), () => timed(out, `${amux} computer cp :/root/${ours} ../${ours}`)]
    for (const both of [ins, outs]) for (const one of round % 2 === 0 ? both : both.toReversed()) await one()
    await shell(lab, `diff -r ../tree ../${ours}`)
  }
  const row = (what: string, ours: readonly number[], theirs: readonly number[]) => against(`${FILES} small files, ${what}`, 1000 * median(ours), 'tar | docker exec', 1000 * median(theirs), 1)
  return [row('in', into, tarInto), row('out', out, tarOut)]
}

/** `docker commit` covers no volume: what a computer has in its home, a container beside it has in its layer. */
async function checkpoints(lab: DockerLab): Promise<readonly Row[]> {
  const amux = `${lab.amux.join(' ')} computer`
  const peer = `${lab.name}-peer`
  await shell(lab, `docker exec ${lab.name} sh -c 'mv /root/ours-0 /root/ours && rm -rf /root/theirs-* /root/ours-*' && ${amux} checkpoint create`)
  await shell(lab, `docker run -d --name ${peer} --entrypoint sleep amux/computer:latest infinity && docker exec ${lab.name} tar -C /root -cf - ours | docker exec -i ${peer} tar -C /root -xf -`)
  try {
    return await checkpointRows(lab, amux, peer)
  } finally {
    await shell(lab, `docker rm -fv ${peer}`)
  }
}

async function checkpointRows(lab: DockerLab, amux: string, peer: string): Promise<readonly Row[]> {
  const [ones, commits, restores]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of [lab.name, peer]) await shell(lab, `docker exec ${name} sh -c 'echo ${round} > /root/ours/0/0'`)
    ones.push(1000 * (await shell(lab, `${amux} checkpoint create`)))
    commits.push(1000 * (await shell(lab, `docker commit ${peer} amux-bench-commit`)))
    await shell(lab, 'docker rmi -f amux-bench-commit')
    restores.push(1000 * (await shell(lab, `${amux} checkpoint restore v1 --yes`)))
  }
  return [against('checkpoint, one of 20,000 files changed', median(ones), 'docker commit', median(commits), 0.4), within('restore of the same', median(restores), 2000)]
}
