/** Stands in for `@halfdoor/protocol/runner` in a watched runner: a claim is no durable step, and has a gate all the same. */
import { heartbeatFile as realFile, type Heartbeat, type LineFile } from '@halfdoor/protocol/runner';
import { gateOfThisProcess } from './durable.ts';

export * from '@halfdoor/protocol/runner';

export function heartbeatFile(path: string): Pick<LineFile<Heartbeat>, 'write' | 'close'> {
  const file = realFile(path);
  const gate = gateOfThisProcess();
  let claimed = '';
  return {
    write: (it) => {
      const claims = it.claims.join(' ');
      const isNew = claims !== '' && claims !== claimed;
      claimed = claims;
      if (isNew) gate('claim', 'before');
      const written = file.write(it);
      if (isNew) gate('claim', 'after');
      return written;
    },
    close: () => file.close(),
  };
}
