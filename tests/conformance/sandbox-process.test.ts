import { sandboxCases } from './sandbox-cases.ts';

sandboxCases('process');
