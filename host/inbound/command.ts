/** Commands are parsed exactly: `/newx` and `/new please` are text for the agent. */
export const COMMANDS = ['/help', '/status', '/stop', '/new'] as const;
export type Command = (typeof COMMANDS)[number];

export function parseCommand(text: string): Command | null {
  const word = text.trim();
  return COMMANDS.find((command) => command === word) ?? null;
}

export const HELP_TEXT = [
  '/help    this list',
  '/status  what the agent is doing',
  '/stop    stop what runs and drop what waits',
  '/new     a new conversation with an empty work folder',
  'Anything else goes to the agent.',
].join('\n');
