// needs: userns
import { sandboxCases } from './sandbox-cases.ts';

sandboxCases('bubblewrap');
