/** What Telegram channels have of the host beside what every channel has. */
import type { Web } from './channel-host.ts';
import type { Found } from '../secrets/secrets.ts';
import type { TelegramDeps } from './telegram/index.ts';

type SideDeps = { keys(name: string): Found };

export function telegramSide({ keys }: SideDeps, web: Web): TelegramDeps {
  return {
    secret: (name) => {
      const found = keys(name);
      return found.ok ? found.value : null;
    },
    web,
  };
}
