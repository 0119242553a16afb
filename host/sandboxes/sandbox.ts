/**
 * What holds an agent. One kind is one folder or file beside this one, all pass the same conformance suite, and the
 * host asks for a kind by name: a kind that cannot run here is an error, never a reason to use a weaker one.
 */
export const SANDBOX_KINDS = ['bubblewrap', 'docker', 'process'] as const;
export type SandboxKind = (typeof SANDBOX_KINDS)[number];

/** A person's folder as one run gets it. What stands at `path` must be `identity` (device:inode) when it is mounted. */
export type SandboxFolder = { path: string; identity: string; access: 'read-write' | 'read-only' };

export type SandboxSpec = {
  /** The install's label: stands in the runner's argv, so that strays of a dead host can be found. */
  label: string;
  sessionId: string;
  /** Host paths. `out` holds the files of OUT_FILES and files/; all of them exist. */
  inDir: string;
  outDir: string;
  workDir: string;
  /** The agent's instructions and memory; read-only inside. */
  agentDir: string;
  /** bell.sock and net.sock of this session; read-only inside. */
  socketDir: string;
  /** At `folder` of the base. The kind without a wall cannot keep one read-only. */
  folder: SandboxFolder | null;
  /** Run number; above every earlier one of this session. */
  run: number;
  /** `--recover`: open outbound.db, take back what was cut off, and end. */
  recover: boolean;
  program: RunnerProgram;
};

/** The runner as it is started: `bun entry …` with `folder` mounted read-only at the same place in every kind. */
export type RunnerProgram = { bun: string; folder: string; entry: string };

export type SandboxExit = { code: number | null; signal: string | null; stderr: string };

export type RunningSandbox = {
  /** The process the host started; its kernel pid. */
  pid: number;
  /** Kernel pids of everything inside, as far as they can be seen now. */
  pids(): number[];
  /** Settles once nothing of this run is left: the outer process reaped and the inner one gone. Never rejects. */
  gone: Promise<SandboxExit>;
  /** SIGTERM inside, repeated until exit, then SIGKILL after `LIMITS.stopGraceMs`. Resolves as `gone`. */
  stop(): Promise<SandboxExit>;
  /** SIGKILL now. */
  kill(): void;
};

export type Probe = { ok: true } | { ok: false; fault: string; next: string };

export interface Sandbox {
  readonly kind: SandboxKind;
  /** What the runner takes for the session's folder: where in/, out/ and the rest stand for it. */
  baseOf(sessionFolder: string): string;
  /** Starts the smallest thing for real and tries what must be refused. Cheap enough for every host start. */
  probe(): Promise<Probe>;
  /** Throws `SandboxError` when the run did not start; nothing of it is left then. */
  start(spec: SandboxSpec): Promise<RunningSandbox>;
}

/** Where the runner finds a person's folder. */
export const folderInside = (sandbox: Sandbox, sessionFolder: string): string =>
  `${sandbox.baseOf(sessionFolder)}/folder`;

/** The sandbox could not start. `next` is the command or change that would mend it. */
export class SandboxError extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = 'SandboxError';
    this.next = next;
  }
}

/** What holds agents is away for now, and no message can be blamed for it: it waits, and is tried again until it is back. */
export class SandboxAway extends SandboxError {}
