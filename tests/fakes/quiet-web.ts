import type { Web } from '../../host/channels/channel-host.ts';

/** A web listener that nobody asks. */
export const QUIET_WEB: Web = {
  mount: () => () => {},
  status: () => ({ state: 'connected', since: '', lastError: null }),
};
