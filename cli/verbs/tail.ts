import { createInterface } from 'node:readline';
import type { TailEvent } from '../../host/api/operator-contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { notRunning } from '../failure.ts';
import { withHost } from '../reach.ts';

/** Prints what went in and out; with `follow` until Ctrl-C. A host that ends meanwhile ends it with exit code 3. */
export async function tailSession(context: Context, id: string, follow: boolean): Promise<void> {
  const path = `/v1/sessions/${pathStep(id)}/tail${follow ? '?follow=1' : ''}`;
  const answer = await withHost(context, () => context.api.stream(path, new AbortController().signal));
  const lines = createInterface({ input: answer, crlfDelay: Infinity });
  try {
    for await (const line of lines) {
      const event = parse(line);
      if (event !== null) context.printer.answer(event, describe(event));
    }
  } catch (error) {
    if (!answer.destroyed) throw error; // cut off: the host went away
  }
  if (follow) throw notRunning(context.home);
}

/** Null for a line that was cut off. */
function parse(line: string): TailEvent | null {
  try {
    return JSON.parse(line) as TailEvent;
  } catch {
    return null;
  }
}

function describe(it: TailEvent): string {
  switch (it.type) {
    case 'in':
      return `${it.at}  in         ${it.sender ?? 'host'}: ${it.text}`;
    case 'settled':
      return `${it.at}  settled    ${it.message} ${it.state}${because(it.reason)}`;
    case 'out':
      return `${it.at}  ${it.notice ? 'notice   ' : 'out      '}  ${it.seq === null ? '' : `#${it.seq} `}to ${it.to}: ${it.text}`;
    case 'delivered':
      return `${it.at}  ${it.state === 'dead' ? 'given up ' : 'delivered'}  ${it.delivery}${because(it.reason)}`;
    case 'run':
      return `${it.at}  run        ${it.run} ${it.ending === null ? 'began' : `ended: ${it.ending}`}`;
    case 'progress':
      return `${it.at}  progress   run ${it.run} ${it.state}${because(it.detail)}`;
  }
}

const because = (reason: string | null): string => (reason === null ? '' : ` (${reason})`);
