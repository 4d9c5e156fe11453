import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './amux.ts'

/** A provider whose computers do not see this machine's project. */
export const FAR = `
import { processProvider } from ${JSON.stringify(pathToFileURL(join(root, 'dist/testkit.js')).href)}
export default async () => ({
  ...processProvider,
  id: 'far',
  async connect(context) {
    const provider = await processProvider.connect(context)
    return {
      create: ({ project, ...options }) => provider.create(options),
      get: (name, options) => provider.get(name, options),
      list: (options) => provider.list(options),
      health: () => provider.health(),
    }
  },
})
`
