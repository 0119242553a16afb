/** `node bench/run.ts NAME [--json]`: one benchmark; its last line is one JSON object. */
import { cold } from './cold.ts';
import { burst } from './burst.ts';
import { latency } from './latency.ts';
import { sessions } from './sessions.ts';

const BENCHES: Readonly<Record<string, () => Promise<object>>> = { latency, cold, burst, sessions };

const name = process.argv[2] ?? '';
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench) process.stdout.write(`${JSON.stringify({ name, ...(await bench()) })}\n`);
else {
  process.stderr.write(`no bench named ${JSON.stringify(name)}\nThere are: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exitCode = 2;
}
