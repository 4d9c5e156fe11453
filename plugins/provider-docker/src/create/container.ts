import type { Client } from '../client.ts'
import { fail, hasCode } from '../errors.ts'
import { labelsOf, marks, type Meta } from '../meta.ts'
import { copyOf, inside, KIT_VOLUME, LABEL, volumesOf } from '../names.ts'
import { bindings } from '../publish.ts'
import { maker } from '../engine/maker.ts'
import { treeName, treesOf } from './project.ts'
import { UNLABELLED } from '../engine/container.ts'

/** As long as everything on it may take to end; then the engine ends it. */
export const STOP_SECONDS = 15
const SHARED_MEMORY = 1024 ** 3

export function taken(name: string): Error {
  return fail('already_exists', `there is a Docker computer ${name} already`, { computer: name, hint: `See it: amux computer info -c ${name} -P docker` })
}

/** A computer's container, not yet started. `called`: its own name, or what it has until it takes that. */
export async function makeContainer(client: Client, meta: Meta, called: string): Promise<string> {
  const { name, user, run, limits = {} } = meta
  const volumes = volumesOf(name)
  const volume = (Source: string, target: string, labels: Readonly<Record<string, string>>, NoCopy: boolean) => ({ Type: 'volume' as const, Source, Target: target, VolumeOptions: { NoCopy, Labels: labels, DriverConfig: { Name: 'local', Options: {} } } })
  const trees = treesOf(meta.project)
  const own = [
    volume(volumes.store, inside.store, marks(name, 'store'), true),
    volume(volumes.home, user.home, { ...labelsOf(meta), [LABEL.maker]: maker(), ...marks(name, 'home') }, false),
    ...(meta.copied ? trees.map((path) => volume(copyOf(name, treeName(meta.project, path)), path, marks(name, 'copy'), true)) : []),
  ]
  const bound = bindings(meta.publish ?? [])
  const bind = (path: string, target = path) => ({ Type: 'bind' as const, Source: path, Target: target })
  try {
    if (!(await client.labelsVolumes())) await Promise.all(own.map(({ Source: Name, VolumeOptions: { Labels } }) => client.call((docker) => docker.createVolume({ Name, Labels }))))
    const { id } = await client.call((docker) =>
      docker.createContainer({
        name: called,
        Image: meta.image,
        Hostname: name,
        User: '0:0',
        WorkingDir: '/',
        Entrypoint: [`${inside.kit}/${meta.kit}/amux-init`, 'first', inside.lock, inside.boot, inside.mark, inside.go],
        Cmd: [],
        Labels: { ...labelsOf(meta), [LABEL.maker]: maker() },
        StopSignal: 'SIGTERM',
        StopTimeout: STOP_SECONDS,
        Healthcheck: { Test: ['NONE'] },
        ...bound.exposed,
        HostConfig: {
          Mounts: [
            { Type: 'volume', Source: KIT_VOLUME, Target: inside.kit, ReadOnly: true },
            ...own,
            ...(run === undefined ? [] : [bind(run, inside.run)]),
            ...(meta.copied ? [] : trees.map((path) => bind(path))),
          ],
          ...(run === undefined && { Tmpfs: { [inside.run]: 'mode=0700' } }),
          CapDrop: ['NET_RAW'],
          // Where a machine labels files, what is mounted would be nobody's on it.
          ...((run !== undefined || trees.length > 0) && { SecurityOpt: UNLABELLED }),
          NetworkMode: meta.access === 'none' ? 'none' : 'bridge',
          // Without a network it would not know its own name, and sudo says so each time.
          ...(meta.access === 'none' && { ExtraHosts: [`${name}:127.0.1.1`] }),
          RestartPolicy: { Name: 'no' },
          ...bound.bindings,
          ShmSize: SHARED_MEMORY,
          LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
          ...(limits.cpus !== undefined && { NanoCpus: Math.round(limits.cpus * 1e9) }),
          ...(limits.memory !== undefined && { Memory: limits.memory, MemorySwap: limits.memory }),
        },
      }),
    )
    return id
  } catch (error) {
    if (hasCode(error, 'conflict')) throw taken(name)
    throw error
  }
}
