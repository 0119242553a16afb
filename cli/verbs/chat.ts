import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentView, ChatEvent, MessageView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import { banner } from '../chat/banner.ts';
import { Conversation } from '../chat/conversation.ts';
import { timed } from '../chat/doing.ts';
import { chooseFolder, type Dir } from '../chat/folder.ts';
import { historyPath, openHistory } from '../chat/history.ts';
import { isLively, jsonScreen, openScreen, type Screen, type Terminal } from '../chat/screen.ts';
import { follow } from '../chat/stream.ts';
import type { Context } from '../context.ts';
import { notRunning } from '../failure.ts';
import { ensureHost } from '../start-host.ts';
import { visibleJson } from '../visible.ts';

const ONE_WAIT_MS = 30_000;
const AGAIN_MS = 250;
const TICK_MS = 1_000;
/** A second Ctrl-C within this time leaves. */
const TWICE_MS = 2_000;
/** Nobody sits before a pipe to start the host again. */
const AWAY_MS = 30_000;

/** Until Ctrl-D, Ctrl-C twice, or, with lines from a pipe, until all of them are settled. Starts a host if none runs. */
export async function chat(context: Context, named: string | undefined, dir?: Dir): Promise<void> {
  const agent = named ?? (await (await import('../setup/first-agent.ts')).whomToTalkTo(context));
  await ensureHost(context);
  // Refused before a prompt is shown.
  const who = await context.api.call<AgentView>('GET', `/v1/agents/${pathStep(agent)}`);
  const folder = await chooseFolder(context, agent, dir);
  const { env, uid } = context;
  const place = { input: process.stdin, output: process.stdout, env };
  const history = openHistory(isLively(place) && !context.printer.json ? historyPath(env) : null, uid);
  const terminal: Terminal = { ...place, history };
  const screen = context.printer.json ? jsonScreen(terminal) : openScreen(terminal);
  const end = new AbortController();
  const conversation = new Conversation({ ...hostSide(context, agent, end.signal), ...shownOn(screen, () => tick()) });
  const tick = (): void => {
    const { doing, partial } = conversation;
    screen.live(doing && timed(doing, Date.now()), partial);
  };
  const live = terminal.input.isTTY === true;
  if (live) screen.say(banner(who));
  if (folder !== null) screen.remark(folder);
  const ticking = setInterval(tick, TICK_MS);
  try {
    await talk(context, agent, { screen, conversation, end, live });
  } finally {
    clearInterval(ticking);
    conversation.leave();
    end.abort();
    screen.close();
  }
  if (conversation.failed && !live) process.exitCode = 1;
}

type Talk = { screen: Screen; conversation: Conversation; end: AbortController; live: boolean };

async function talk(context: Context, agent: string, { screen, conversation, end, live }: Talk): Promise<void> {
  const sent: Promise<void>[] = [];
  let away: NodeJS.Timeout | undefined;
  const gone = Promise.withResolvers<never>();
  const closed = Promise.withResolvers<void>();
  screen.onLine((line) => {
    if (line.trim() !== '') sent.push(conversation.send(line));
  });
  screen.onEnd(() => closed.resolve());
  screen.onInterrupt(interrupts(conversation, screen, () => closed.resolve()));
  const following = follow(context.api, agent, end.signal, {
    onEvent: (event: ChatEvent) => {
      if (context.printer.json) process.stdout.write(`${visibleJson(event)}\n`);
      conversation.event(event);
    },
    onConnection: (state) => {
      clearTimeout(away);
      if (state === 'up') return;
      screen.remark('the host went away; what you send waits until it is back (./halfdoor start --detach)');
      if (!live) away = setTimeout(() => gone.reject(notRunning(context.home)), AWAY_MS);
    },
  });
  const done = closed.promise.then(() => (live ? undefined : Promise.all(sent)));
  try {
    await Promise.race([done, following, gone.promise]);
  } finally {
    clearTimeout(away);
  }
}

/** Ctrl-C stops the turn; when none is under way, or soon after the first, it leaves. */
function interrupts(conversation: Conversation, screen: Screen, leave: () => void): () => void {
  let lastMs = 0;
  return () => {
    const twice = Date.now() - lastMs < TWICE_MS;
    lastMs = Date.now();
    if (twice) return leave();
    if (conversation.doing !== null) void conversation.send('/stop');
    screen.remark(conversation.doing === null ? 'Ctrl-C again leaves' : 'stopping; Ctrl-C again leaves');
  };
}

function hostSide({ api }: Context, agent: string, signal: AbortSignal) {
  return {
    send: (text: string, id: string) =>
      api.call<MessageView>('POST', `/v1/agents/${pathStep(agent)}/messages`, { text, id }, signal),
    settled: (id: string) =>
      api.call<MessageView>('GET', `/v1/messages/${pathStep(id)}?wait=${ONE_WAIT_MS}`, undefined, signal),
    received: async (ids: string[]) => void (await api.call('POST', '/v1/deliveries/received', { ids })),
    pause: () => sleep(AGAIN_MS, undefined, { signal }).catch((): void => {}),
    id: () => randomUUIDv7(),
    nowMs: () => Date.now(),
  };
}

const shownOn = (screen: Screen, changed: () => void) => ({
  say: (text: string) => screen.say(text),
  remark: (text: string) => screen.remark(text),
  changed,
});
