/** A turn that is under way until the test lets it go: no time has to pass for it, and none can be too short. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChatEvent } from '../../host/api/contract.ts';

/** A message to the mock: its turn waits at a tool, while the session has its folder, then answers `text`. */
export const held = (text: string): string =>
  `@shell while [ -e ../in ] && [ ! -e go ]; do sleep 0.05; done; echo ${text}`;

/** The run says that it is there, and rings for it. */
export const isAtTool = (it: ChatEvent): boolean => it.type === 'progress' && it.state === 'tool';

/** `folder` is the session's; what is held in it goes on, and nothing is held there any more. */
export const letGo = (folder: string): void => writeFileSync(join(folder, 'work', 'go'), '');
