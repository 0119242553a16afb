/** Host names that belong together, under one short name. `web` stands for all of them and is no list. */
export const PRESET_HOSTS = {
  // https://api.github.com/meta and https://docs.github.com: clone, raw files, releases, large files.
  github: [
    'github.com',
    'api.github.com',
    'uploads.github.com',
    'codeload.github.com',
    'gist.github.com',
    'raw.githubusercontent.com',
    'gist.githubusercontent.com',
    'media.githubusercontent.com',
    'objects.githubusercontent.com',
    'release-assets.githubusercontent.com',
    'github-cloud.githubusercontent.com',
    'github-cloud.s3.amazonaws.com',
  ],
  npm: ['registry.npmjs.org'],
  pypi: ['pypi.org', 'files.pythonhosted.org'],
  // Debian's serve https; of Ubuntu's only these do.
  apt: ['deb.debian.org', 'security.debian.org', 'archive.ubuntu.com', 'security.ubuntu.com', 'ports.ubuntu.com'],
} as const;

/** Stands for no host: the agent may search by the endpoint that the owner set. */
export const SEARCH = 'search';

export const PRESETS = ['web', SEARCH, ...(Object.keys(PRESET_HOSTS) as (keyof typeof PRESET_HOSTS)[])] as const;
export type Preset = (typeof PRESETS)[number];

export const isPreset = (text: string): text is Preset => (PRESETS as readonly string[]).includes(text);
