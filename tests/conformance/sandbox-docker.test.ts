// needs: docker
import { sandboxCases } from './sandbox-cases.ts';

sandboxCases('docker');
