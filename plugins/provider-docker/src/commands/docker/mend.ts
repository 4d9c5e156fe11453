import { command } from '../../../../shared/command.ts'
import { Client } from '../../client.ts'
import { mend } from '../../create/mend.ts'

export default command({
  summary: 'Give a computer whose container was removed by hand another one.',
  description: 'With its home, its checkpoints and its logs. Its system is that of its image, until you restore a checkpoint.',
  examples: ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> -c amux-app-7f3k2p'],
  flags: { computer: { type: 'option', char: 'c', summary: "Name of a computer. Default: this project's on Docker.", helpValue: 'NAME' } },
  async execute(call) {
    const wanted = call.flags['computer']
    const computer = await call.computer({ computer: typeof wanted === 'string' ? wanted : undefined, provider: 'docker' }, { start: false })
    call.progress(`Making the container of ${computer.name} anew`)
    const { imageName } = await mend(new Client(await call.settings('docker')), await call.dataDir('docker'), computer.name)
    await computer.start({ signal: call.signal })
    call.data({ computer: computer.name, image: imageName }, () => `${computer.name} is there again, with its home; its system is that of ${imageName}`)
    call.note('To have its system as it was: amux computer checkpoint ls, then amux computer checkpoint restore ID')
  },
})
