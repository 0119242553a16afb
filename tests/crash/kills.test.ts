import { test } from 'node:test';
import { underKills } from './under-kills.ts';

test('under kill -9 of runs and hosts nothing accepted is lost, and no second copy is silent', (t) =>
  underKills(t, { sandbox: 'process', messages: 120, kills: 24 }));
