import { resetCommand } from '../../../../policies.ts'

export default resetCommand('resources')
