/** Stands in for `@halfdoor/protocol/durable` in a watched host or runner: the same, with a gate at both edges of each step. */
import { dirname } from 'node:path';
import { makeDurable as makeReal, type Durable } from '@halfdoor/protocol/durable';
import { makeGate } from './gate.ts';

export * from '@halfdoor/protocol/durable';

export const makeDurable = (): Durable => makeReal(gateOfThisProcess());

/** The host is told the folder by its environment, a run lies in it: `runner.js RUN BASE LABEL`. */
export function gateOfThisProcess(): ReturnType<typeof makeGate> {
  const [, program = '', , , label = ''] = process.argv;
  return process.env.HALFDOOR_DIST ? makeGate(process.env.HALFDOOR_DIST, '') : makeGate(dirname(program), label);
}
