import { command } from '../../../../shared/command.ts'
import { Client, type Ids, idsOf } from '../../client.ts'
import { inspectImage } from '../../images/image.ts'
import { DEFAULT_IMAGE } from '../../names.ts'

export default command({
  summary: 'Show which Docker engine is used, why that one, and what it has for amux.',
  examples: ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'],
  async execute(call) {
    const client = new Client(await call.settings('docker'))
    const { address, because } = client.found
    const version = await client.version()
    const info = (await client.call((docker) => docker.info())) as { readonly Driver?: string; readonly CgroupVersion?: string; readonly SecurityOptions?: readonly string[]; readonly NCPU?: number; readonly MemTotal?: number }
    const security = info.SecurityOptions ?? []
    const ids = idsOf(security)
    const template = await inspectImage(client, DEFAULT_IMAGE)
    const document = {
      address,
      because,
      product: version.product,
      version: version.Version,
      api: version.ApiVersion,
      platform: `${version.Os}/${version.Arch}`,
      here: client.here,
      ids,
      storage: info.Driver,
      cgroups: info.CgroupVersion,
      security,
      cpus: info.NCPU,
      memory: info.MemTotal,
      template: template ? { name: DEFAULT_IMAGE, createdAt: template.Created, size: template.Size } : undefined,
    }
    call.data(document, () =>
      [
        `${address} (${because}), ${version.product} ${version.Version}, API ${version.ApiVersion}, ${document.platform}`,
        `this machine's files: ${filesOf(client.here, ids)}`,
        `storage: ${info.Driver}${keepingOf(info.Driver)}`,
        `template: ${template ? `${DEFAULT_IMAGE} of ${template.Created}` : 'none, build it: amux computer template build'}`,
      ].join('\n'),
    )
  },
})

function filesOf(here: boolean, ids: Ids): string {
  if (!here || ids === 'mapped') return 'projects are copied'
  return ids === 'rootless' ? 'projects are mounted, programs run as root, which is you' : 'projects are mounted'
}

function keepingOf(driver = ''): string {
  if (['vfs', 'btrfs'].includes(driver)) return ', where a checkpoint holds the whole system'
  return ['overlay2', 'overlay', 'overlayfs', 'fuse-overlayfs'].includes(driver) ? '' : ', without checkpoints'
}
