/** `node --import …/watched.ts host/main.ts`: the very host that an owner starts, with a gate at each durable step. */
import { registerHooks } from 'node:module';

const standIn = new URL('durable.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@halfdoor/protocol/durable' && context.parentURL !== standIn
      ? next(standIn, context)
      : next(specifier, context),
});
