// needs: userns
import { fileCases } from './reader-files.ts';
import { lifeCases } from './reader-lives.ts';
import { rowCases } from './reader-rows.ts';
import { scarceCases, secondCases } from './reader-second.ts';
import { attacksOn } from './reader-stage.ts';
import { wallCases } from './reader-wall.ts';

const attack = attacksOn(true);
fileCases(attack);
rowCases(attack);
lifeCases(attack);
secondCases(attack);
scarceCases(attack);
wallCases(attack);
