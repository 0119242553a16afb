import { Failure } from '../failure.ts';

/** Somebody left in the middle. What was done so far stays done. */
export function left(): never {
  throw new Failure('left before the end', 'Begin again: ./halfdoor setup (what is done is found)');
}
