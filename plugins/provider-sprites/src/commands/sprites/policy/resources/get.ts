import { getCommand } from '../../../../policies.ts'

export default getCommand('resources')
