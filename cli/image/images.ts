/** The images of Halfdoor that the engine has, and what each is to this checkout. */
import { IMAGE_LABELS, misfit, type NeededImage } from '../../host/image/needed.ts';
import type { Engine } from './engine.ts';

/** `used`: agents are started from it. `old`: built here, and needed no more. `foreign`: by hand, or for another checkout. */
export type ImageState = 'used' | 'old' | 'foreign';

export type Image = {
  id: string;
  /** With their tags; none when a later build took them over. */
  names: readonly string[];
  with: readonly string[];
  bytes: number;
  createdAt: string;
  state: ImageState;
  /** Why agents cannot be started from it. */
  misfit: string | null;
};

type Inspected = {
  Id: string;
  RepoTags: string[] | null;
  Size: number;
  Created: string;
  Config: { Labels: Record<string, string> | null };
};

/** Newest first. */
export async function listedImages(engine: Engine, needed: NeededImage): Promise<Image[]> {
  const labelled = await engine.ask([
    'image',
    'ls',
    '--quiet',
    '--no-trunc',
    '--filter',
    `label=${IMAGE_LABELS.runnerLock}`,
  ]);
  const named = await engine.tryTo(['image', 'inspect', '--format', '{{.Id}}', needed.name]);
  const ids = [...new Set(`${labelled}\n${named.code === 0 ? named.out : ''}`.split('\n').filter(Boolean))];
  if (ids.length === 0) return [];
  // One that goes meanwhile is left out: the others are told all the same.
  const { out } = await engine.tryTo(['image', 'inspect', ...ids]);
  const images = (JSON.parse(out) as Inspected[]).map((it) => imageOf(it, needed));
  return images.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}

function imageOf({ Id, RepoTags, Size, Created, Config }: Inspected, needed: NeededImage): Image {
  const labels = Config.Labels ?? {};
  const names = RepoTags ?? [];
  const used = names.includes(needed.name);
  return {
    id: Id,
    names,
    with: (labels[IMAGE_LABELS.with] ?? '').split(',').filter(Boolean),
    bytes: Size,
    createdAt: Created,
    state: used ? 'used' : labels[IMAGE_LABELS.checkout] === needed.checkout ? 'old' : 'foreign',
    misfit: misfit(names[0] ?? Id, labels, needed)?.fault ?? null,
  };
}
