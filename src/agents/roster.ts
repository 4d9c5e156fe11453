/** A coding agent, as data. Paths are relative to the home directory of the computer's user. */
export interface Agent {
  readonly id: string
  readonly title: string
  /** On the npm registry. */
  readonly package: string
  readonly command: string
  /** Directories its own installer uses, besides PATH. */
  readonly directories: readonly string[]
  /** Any of these is there once the user has logged in. */
  readonly loggedIn: readonly string[]
  /** Variables that replace the login. */
  readonly credentials: readonly string[]
  /** What to do when there is no login, for people. */
  readonly login: string
  /** Hosts of its service: what its login is for. None where they depend on the model. */
  readonly endpoints: readonly string[]
  /** Arguments that go on with the newest conversation of the directory, without asking. */
  readonly resume?: readonly string[]
  /** Variables that tell it that it has a machine of its own. */
  readonly env?: Readonly<Record<string, string>>
}

export const roster: readonly Agent[] = [
  {
    id: 'claude',
    title: 'Claude Code',
    package: '@anthropic-ai/claude-code',
    command: 'claude',
    directories: ['.local/bin'],
    loggedIn: ['.claude/.credentials.json'],
    credentials: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
    login: 'type /login inside it',
    resume: ['--continue'],
    endpoints: ['api.anthropic.com'],
    // Without it, some of its permission modes refuse to run as root.
    env: { IS_SANDBOX: '1' },
  },
  {
    id: 'codex',
    title: 'Codex',
    package: '@openai/codex',
    command: 'codex',
    directories: ['.local/bin'],
    loggedIn: ['.codex/auth.json'],
    credentials: ['OPENAI_API_KEY', 'CODEX_API_KEY'],
    login: 'run amux codex -- login --device-auth',
    resume: ['resume', '--last'],
    endpoints: ['api.openai.com', 'chatgpt.com'],
  },
  {
    id: 'opencode',
    title: 'opencode',
    package: 'opencode-ai',
    command: 'opencode',
    directories: ['.local/bin', '.opencode/bin'],
    loggedIn: ['.local/share/opencode/auth.json'],
    credentials: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY'],
    login: 'run amux opencode -- auth login',
    resume: ['--continue'],
    endpoints: [],
  },
  {
    id: 'amp',
    title: 'Amp',
    package: '@sourcegraph/amp',
    command: 'amp',
    directories: ['.local/bin', '.amp/bin'],
    loggedIn: ['.local/share/amp/secrets.json', '.config/amp/secrets.json'],
    credentials: ['AMP_API_KEY'],
    login: 'run amux amp -- login',
    resume: ['threads', 'continue', '--last'],
    endpoints: ['ampcode.com'],
  },
  {
    id: 'gemini',
    title: 'Gemini CLI',
    package: '@google/gemini-cli',
    command: 'gemini',
    directories: ['.local/bin'],
    loggedIn: ['.gemini/oauth_creds.json'],
    credentials: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    login: 'choose a login inside it',
    resume: ['--resume', 'latest'],
    endpoints: ['generativelanguage.googleapis.com'],
  },
  {
    id: 'droid',
    title: 'Droid',
    package: 'droid',
    command: 'droid',
    directories: ['.local/bin', '.factory/bin'],
    loggedIn: ['.factory/auth.json', '.factory/config.json'],
    credentials: ['FACTORY_API_KEY'],
    login: 'type /login inside it',
    resume: ['--resume', '--last'],
    endpoints: ['app.factory.ai'],
  },
]

export function findAgent(id: string): Agent | undefined {
  return roster.find((agent) => agent.id === id)
}
