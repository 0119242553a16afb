/** Where the script acts, and its hands: the shell and the file tools that every provider has. */
import { ownTools } from '../direct/tools.ts';
import type { Inside, ProviderDeps } from '../provider.ts';
import { runShell } from '../shell.ts';

export type Place = {
  cwd: string;
  inside: Inside;
  /** What the command printed, errors too, and how it ended if badly. */
  shell(command: string, timeoutMs?: number): Promise<string>;
  /** The tool `write` or `read`. Throws what it throws. */
  use(tool: 'write' | 'read', input: Record<string, unknown>): Promise<string>;
  randomId(): string;
};

const SHOW_MS = 10_000;

export function placeAt(it: {
  cwd: string;
  env: Record<string, string>;
  signal: AbortSignal;
  refusals: ProviderDeps['refusals'];
  inside: Inside;
  randomId(): string;
}): Place {
  const { cwd, env, signal, refusals, inside, randomId } = it;
  const tools = ownTools({ cwd, env, refusals, signal });
  return {
    cwd,
    inside,
    randomId,
    shell: async (command, timeoutMs = SHOW_MS) => {
      const ran = await runShell(command, { cwd, env, refusals, signal, timeoutMs });
      const ending = ran.code === 0 ? '' : `\n(${ran.signal === null ? `exit ${ran.code}` : `ended by ${ran.signal}`})`;
      return `${ran.output.trimEnd()}${ran.cut ? '\n(cut here)' : ''}${ending}`.trim();
    },
    use: async (name, input) => {
      const tool = tools.find((candidate) => candidate.name === name);
      if (tool === undefined) throw new Error(`there is no tool named ${name}`);
      return tool.run(input);
    },
  };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
