/** `node bench/run.ts NAME [--json] [OPTIONS]`: one benchmark; its last line is one JSON object. */
import { parseArgs } from 'node:util';
import { cold } from './cold.ts';
import { burst } from './burst.ts';
import { crash } from './crash.ts';
import { history } from './history.ts';
import { latency } from './latency.ts';
import { sessions } from './sessions.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    messages: { type: 'string', default: '600' },
    kills: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});

/** Ends with wrong use when it is none. */
function wholeNumber(name: 'messages' | 'kills' | 'seed'): number {
  if (/^[1-9]\d{0,8}$/.test(values[name])) return Number(values[name]);
  process.stderr.write(
    `--${name} must be a whole number from 1 on\nFor example: ./halfdoor bench crash --${name} 60\n`,
  );
  process.exit(2);
}

const BENCHES: Readonly<Record<string, () => Promise<object>>> = {
  latency,
  cold,
  burst,
  history,
  sessions,
  crash: () => crash({ messages: wholeNumber('messages'), kills: wholeNumber('kills'), seed: wholeNumber('seed') }),
};

const [name = ''] = positionals;
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench) process.stdout.write(`${JSON.stringify({ name, ...(await bench()) })}\n`);
else {
  process.stderr.write(`no bench named ${JSON.stringify(name)}\nThere are: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exitCode = 2;
}
