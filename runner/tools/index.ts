/** The tools that every provider offers, as one table. */
import type { Tool } from '../providers/provider.ts';
import { sendFile, type SendFile } from './send-file.ts';
import { sendMessage, type SendMessage } from './send-message.ts';
import { webFetch, type ReadPage } from './web-fetch.ts';
import { webSearch, type Search } from './web-search.ts';

export type ToolDeps = { send: SendMessage; sendFile: SendFile; readPage: ReadPage; search: Search };

export const makeTools = (deps: ToolDeps): Tool[] => [
  sendMessage(deps.send),
  sendFile(deps.sendFile),
  webFetch(deps.readPage),
  webSearch(deps.search),
];
