import { boolean, integer, string } from '@oclif/core/flags'
import { AmuxCommand, computerFlags, placeOn } from '../../../cli/index.ts'
import { serviceArg, withService } from '../../../cli/services.ts'
import { programWords } from '../../../cli/verbs/index.ts'
import { environment } from '../../../config/index.ts'
import { pathOn } from '../../../project/directory.ts'

export default class ServiceCreate extends AmuxCommand {
  static override summary = 'Have a computer keep a program running.'
  static override description = `It starts now and with the computer, and again when it ends. One that is there already is changed and restarted.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> web --http-port 3000 -- npm start',
    '<%= config.bin %> <%= command.id %> worker --needs web -e QUEUE=jobs -- node worker.js',
  ]
  static override args = { service: serviceArg }
  static override flags = {
    ...computerFlags,
    'http-port': integer({ summary: "The computer's URL leads to this port of it.", helpValue: 'PORT', min: 1, max: 65535 }),
    needs: string({ summary: 'A service that is started before it. May be repeated.', helpValue: 'NAME', multiple: true, multipleNonGreedy: true }),
    env: string({ char: 'e', summary: 'Variable of its environment; NAME alone copies it from here.', helpValue: 'NAME=VALUE', multiple: true, multipleNonGreedy: true }),
    'env-file': string({ summary: 'File with such variables.', helpValue: 'FILE', multiple: true, multipleNonGreedy: true }),
    workdir: string({ char: 'w', summary: 'Directory it runs in, on the computer. Default: the one you are in.', helpValue: 'DIR' }),
    start: boolean({ summary: 'Start it now.', default: true, allowNo: true }),
  }

  async execute(): Promise<number> {
    const { args, flags } = await this.parse(ServiceCreate)
    const argv = programWords(this.remote, [], `amux computer service create ${args.service} -- PROGRAM ARGS`)
    const computer = await this.amux.computer(flags, { start: true })
    const { directory } = await placeOn(this.amux, computer)
    const cwd = flags.workdir === undefined ? directory : pathOn(directory, flags.workdir)
    const env = environment(flags)
    const spec = {
      argv,
      ...(cwd !== undefined && { cwd }),
      ...(Object.keys(env).length > 0 && { env }),
      ...(flags.needs && { needs: flags.needs }),
      ...(flags['http-port'] !== undefined && { httpPort: flags['http-port'] }),
    }
    return withService(this, { computer: computer.name, provider: computer.provider }, (services) => services.set(args.service, spec, { start: flags.start }))
  }
}
