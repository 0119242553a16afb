/**
 * `node tests/crash/sim/main.ts [--runs N] [--seed N] [--path P] [--seconds N] [--mutant NAME] [--as-found]`: plays stories
 * until one goes wrong or all are told. Says what was covered as one line of JSON; ends with 1 when one went wrong.
 * `--trace SEED` tells one story line by line, `--story JSON` says what goes wrong in this very one.
 */
import { parseArgs } from 'node:util';
import { loadWith } from './hooks.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    path: { type: 'string' },
    seconds: { type: 'string' },
    mutant: { type: 'string' },
    trace: { type: 'string' },
    story: { type: 'string' },
    'as-found': { type: 'boolean', default: false },
  },
});

const { mutants } = await import('../mutants/mutants.ts');
const mutant = values.mutant === undefined ? undefined : mutants.find((it) => it.name === values.mutant);
if (values.mutant !== undefined && !mutant) throw new Error(`no mutant named ${values.mutant}`);
loadWith(mutant?.edits ?? []);
// After the hooks: whatever these import is loaded as they say.
const { explore, retell, tell } = await import('./explore.ts');

if (values.trace !== undefined) {
  process.stdout.write(`${(await tell(Number(values.trace))).join('\n')}\n`);
} else if (values.story !== undefined) {
  process.stdout.write(`${JSON.stringify(await retell(values.story))}\n`);
} else {
  const found = await explore({
    runs: Number(values.runs),
    seed: Number(values.seed),
    path: values.path,
    asFound: values['as-found'],
    seconds: values.seconds === undefined ? undefined : Number(values.seconds),
  });
  process.stdout.write(`${JSON.stringify(found)}\n`);
  process.exitCode = found.counterexample === null ? 0 : 1;
}
