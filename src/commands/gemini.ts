import { agentCommand } from '../cli/verbs/index.ts'

export default agentCommand('gemini')
