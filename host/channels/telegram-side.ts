/** What Telegram channels have of the host beside what every channel has. */
import type { Web } from './channel-host.ts';
import type { Central } from '../db/central.ts';
import { identify } from '../inbound/identify.ts';
import type { Found } from '../secrets/secrets.ts';
import type { TelegramDeps } from './telegram/index.ts';

type SideDeps = { central: Central; keys(name: string): Found };

export function telegramSide({ central, keys }: SideDeps, web: Web): TelegramDeps {
  return {
    secret: (name) => {
      const found = keys(name);
      return found.ok ? found.value : null;
    },
    knows: async (address, sender) => (await identify(central.read, { address, sender })) !== 'none',
    web,
  };
}
