/**
 * What an agent can ask the host to do. `send_message` travels as a row of kind `message`; every other action as a row
 * of kind `action` whose content is {"action": name, ...}. The host decides; a name outside this list is refused.
 * `park` is the runner's own: what it answers waits for the model's quota, {resetsAt: ISO time or null, reason}.
 */
export const ACTIONS = ['send_message', 'park'] as const;
export type ActionName = (typeof ACTIONS)[number];

export const isActionName = (name: string): name is ActionName => (ACTIONS as readonly string[]).includes(name);
