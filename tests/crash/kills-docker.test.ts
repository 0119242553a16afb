// needs: docker
import { test } from 'node:test';
import { dockerEnv } from '../world/engine.ts';
import { underKills } from './under-kills.ts';

test('under kill -9 of containers and hosts nothing accepted is lost, and no second copy is silent', (t) =>
  underKills(t, { sandbox: 'docker', env: dockerEnv(), messages: 100, kills: 20 }));
