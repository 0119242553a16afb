/** Every limit of the contract, units last in the name. DESIGN: each has a test. */
export const LIMITS = {
  textInBytes: 64 * 1024,
  textOutBytes: 256 * 1024,
  rowBytes: 2 * 1024 * 1024,
  jsonDepth: 64,
  answersPerRow: 1000,
  scratchBytesPerTurn: 16 * 1024,
  attachments: 10,
  attachmentBytes: 25 * 1024 * 1024,
  outboundFileBytes: 50 * 1024 * 1024,
  outboundFiles: 10,
  /** Of out/files/ inside. */
  outFilesBytes: 200 * 1024 * 1024,
  /** Copies of one agent's files that the host keeps; of those that have arrived the oldest make room. */
  outboxBytes: 1024 * 1024 * 1024,
  /** One piece of a file that is being copied out. */
  pieceBytes: 256 * 1024,
  fileNameBytes: 255,
  outboundDbBytes: 16 * 1024 * 1024,
  outboundDbPruneBytes: 8 * 1024 * 1024,
  batchMessages: 50,
  collectRows: 50,
  refusedRowsPerRun: 200,
  awakeSandboxes: 8,
  pids: 256,
  /** Of all processes of one sandbox together. */
  memoryBytes: 1024 * 1024 * 1024,
  openFilesPerProcess: 4096,
  openFiles: 16 * 1024,
  /** Of work/ and out/ of one session together. */
  diskBytes: 1024 * 1024 * 1024,
  diskEntries: 250_000,
  /** How far a sandbox stands behind the host for a processor that both want (setpriority(2)). */
  niceness: 10,
  fileBytes: 1024 * 1024 * 1024,
  tmpBytes: 64 * 1024 * 1024,
  shmBytes: 16 * 1024 * 1024,
  toolOutputBytes: 64 * 1024,
  messageTries: 3,
  deliveryTries: 6,
  /** A platform that asks to be left alone for longer is asked again after this. */
  retryAfterMs: 60 * 60_000,
  /** How long a message waits for a quota: where nobody says until when, at most at a time, and in all. */
  parkUnsaidMs: 15 * 60_000,
  parkMs: 24 * 60 * 60_000,
  parkedMs: 7 * 24 * 60 * 60_000,
  /** How far apart the looks are at what is waited for, should the clock be set meanwhile. */
  dueLookMs: 60_000,
  idleSandboxMs: 10 * 60_000,
  silenceMs: 10 * 60_000,
  aliveMs: 60_000,
  /** After so long at one piece of work whoever waits is asked whether to go on. */
  longWorkMs: 4 * 60 * 60_000,
  beatMs: 15_000,
  heartbeatBytes: 4096,
  progressBytes: 4096,
  saidBytes: 2048,
  saidEveryMs: 80,
  streamedChars: 256 * 1024,
  seqAhead: 2 ** 20,
  nameChars: 40,
  socketPathBytes: 107,
  pathBytes: 4096,
  bellConnections: 4,
  bellPauseMs: 5,
  bellPollMs: 1_000,
  bellPollIdleMs: 5_000,
  readerDeadlineMs: 250,
  lockedMs: 5_000,
  stopGraceMs: 5_000,
  recoverMs: 10_000,
  /** How long what is over is kept: traces, dead letters, audit. Within it the same platform id is the same message. */
  keptMs: 30 * 24 * 60 * 60_000,
  removedRows: 500,
  unsentBytes: 16 * 1024,
  unsentPerSession: 200,
  /** Of one session's way out: connections to its socket, and those of them that lead to a host. */
  netConnections: 64,
  tunnels: 32,
  /** After as many at once. */
  connectsPerSecond: 100,
  /** How long a request may take to be said, a host to be reached, a client to say hello, and both to say nothing. */
  requestHeadMs: 10_000,
  dialMs: 10_000,
  helloMs: 10_000,
  tunnelIdleMs: 5 * 60_000,
  helloBytes: 16 * 1024,
  /** Of a session in 24 hours, both ways together. */
  tunnelBytesPerDay: 10 * 1024 * 1024 * 1024,
  hostsPerAgent: 200,
  /** What is kept of an agent's requests, beside their age. */
  egressRowsPerAgent: 5_000,
  logBytes: 10 * 1024 * 1024,
  logFiles: 5,
} as const;
