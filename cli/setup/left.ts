import { Failure } from '../failure.ts';

/** Somebody left in the middle. What was done so far stays done. */
export function left(): never {
  throw new Failure('left before the end; what was done so far stays', 'Go on: ./halfdoor setup');
}
