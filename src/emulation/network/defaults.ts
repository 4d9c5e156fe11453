/** What `{include: 'defaults'}` stands for: what a program needs to be developed, by what it is needed for. */
export const defaults: readonly { readonly title: string; readonly domains: readonly string[] }[] = [
  {
    title: 'Code',
    domains: [
      'github.com', '*.github.com', '*.githubusercontent.com', 'ghcr.io',
      'gitlab.com', '*.gitlab.com', 'bitbucket.org', '*.bitbucket.org', 'codeberg.org', '*.codeberg.org',
    ],
  },
  {
    title: 'JavaScript',
    domains: ['npmjs.org', '*.npmjs.org', 'npmjs.com', '*.npmjs.com', 'yarnpkg.com', '*.yarnpkg.com', 'nodejs.org', '*.nodejs.org', 'jsr.io', '*.jsr.io', 'deno.land', '*.deno.land', 'bun.sh', '*.bun.sh'],
  },
  {
    title: 'Python',
    domains: ['pypi.org', '*.pypi.org', 'pythonhosted.org', '*.pythonhosted.org', 'python.org', '*.python.org', 'astral.sh', '*.astral.sh', '*.anaconda.com', '*.anaconda.org'],
  },
  { title: 'Rust', domains: ['crates.io', '*.crates.io', 'rust-lang.org', '*.rust-lang.org', '*.rustup.rs', 'rustup.rs'] },
  { title: 'Go', domains: ['golang.org', '*.golang.org', 'go.dev', '*.go.dev', 'gopkg.in'] },
  { title: 'Java', domains: ['repo.maven.apache.org', 'repo1.maven.org', 'central.sonatype.com', 'gradle.org', '*.gradle.org', 'adoptium.net', '*.adoptium.net'] },
  { title: 'Ruby', domains: ['rubygems.org', '*.rubygems.org', 'ruby-lang.org', '*.ruby-lang.org'] },
  { title: 'PHP', domains: ['packagist.org', '*.packagist.org', 'getcomposer.org', '*.getcomposer.org'] },
  { title: '.NET', domains: ['nuget.org', '*.nuget.org', 'dot.net', 'dotnet.microsoft.com', 'builds.dotnet.microsoft.com', 'packages.microsoft.com'] },
  { title: 'Debian, Ubuntu, Alpine', domains: ['debian.org', '*.debian.org', 'ubuntu.com', '*.ubuntu.com', 'alpinelinux.org', '*.alpinelinux.org'] },
  {
    title: 'Container images',
    domains: [
      'docker.io', '*.docker.io', 'docker.com', '*.docker.com', 'docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com',
      'quay.io', '*.quay.io', 'mcr.microsoft.com', '*.data.mcr.microsoft.com',
    ],
  },
  {
    title: 'Models and agents',
    domains: [
      'anthropic.com', '*.anthropic.com', 'claude.ai', '*.claude.ai', 'claude.com', '*.claude.com',
      'openai.com', '*.openai.com', 'chatgpt.com', '*.chatgpt.com',
      'generativelanguage.googleapis.com', 'cloudcode-pa.googleapis.com', 'oauth2.googleapis.com', 'accounts.google.com',
      'ampcode.com', '*.ampcode.com', 'factory.ai', '*.factory.ai', 'opencode.ai', '*.opencode.ai', 'models.dev', '*.models.dev',
      'openrouter.ai', '*.openrouter.ai', 'api.mistral.ai', 'api.groq.com', 'api.deepseek.com', 'api.x.ai',
    ],
  },
]
