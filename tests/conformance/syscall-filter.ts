/** A filter of image/seccomp as the kernel reads it: classic BPF over struct seccomp_data (seccomp(2), linux/filter.h). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../world/programs.ts';

export const PROCESSORS = ['x64', 'arm64'] as const;
export type Processor = (typeof PROCESSORS)[number];

/** linux/audit.h */
export const AUDIT_ARCH = { x64: 0xc000_003e, arm64: 0xc000_00b7, x86: 0x4000_0003, arm: 0x4000_0028 } as const;

export type Call = { arch: number; nr: number; args: readonly bigint[] };
/** `kill` stands for every action that is neither of the two that the profile has. */
export type Verdict = 'allow' | `errno ${number}` | `kill ${string}`;

type Instruction = { code: number; jt: number; jf: number; k: number };
export type Filter = readonly Instruction[];

const SIZE = 8;
const ARGS_AT = 16;

export const filterPath = (processor: Processor): string => join(ROOT, 'image', 'seccomp', `${processor}.bpf`);

export function readFilter(path: string): Filter {
  const bytes = readFileSync(path);
  if (bytes.length === 0 || bytes.length % SIZE !== 0) throw new Error(`${path} is no filter: ${bytes.length} bytes`);
  return Array.from({ length: bytes.length / SIZE }, (_, n) => {
    const at = n * SIZE;
    return {
      code: bytes.readUInt16LE(at),
      jt: bytes.readUInt8(at + 2),
      jf: bytes.readUInt8(at + 3),
      k: bytes.readUInt32LE(at + 4),
    };
  });
}

/** Throws on an instruction that a filter of ours does not need, and on a way that has no end. */
export function verdictOf(filter: Filter, call: Call): Verdict {
  const data = dataOf(call);
  let a = 0;
  for (let at = 0; at < filter.length; at++) {
    const { code, jt, jf, k } = filter[at] as Instruction;
    if (code === 0x20) a = data.readUInt32LE(k);
    else if (code === 0x54) a = (a & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x06) return actionOf(k);
    else at += isTrue(code, a, k) ? jt : jf;
  }
  throw new Error('the filter ends without an answer');
}

function isTrue(code: number, a: number, k: number): boolean {
  if (code === 0x15) return a === k;
  if (code === 0x25) return a > k;
  if (code === 0x35) return a >= k;
  if (code === 0x45) return (a & k) !== 0;
  throw new Error(`instruction 0x${code.toString(16)} is not read here`);
}

function actionOf(k: number): Verdict {
  if (k === 0x7fff_0000) return 'allow';
  return (k & 0xffff_0000) >>> 0 === 0x0005_0000 ? `errno ${k & 0xffff}` : `kill 0x${k.toString(16)}`;
}

function dataOf({ arch, nr, args }: Call): Buffer {
  const data = Buffer.alloc(ARGS_AT + 6 * 8);
  data.writeUInt32LE(nr >>> 0, 0);
  data.writeUInt32LE(arch, 4);
  args.forEach((arg, n) => data.writeBigUInt64LE(BigInt.asUintN(64, arg), ARGS_AT + 8 * n));
  return data;
}
