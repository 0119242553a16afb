/** What each method of the Bot API takes (core.telegram.org/bots/api), as far as it is used here; nothing else is taken. */
import type { IncomingMessage } from 'node:http';

type Kind = 'integer' | 'string' | 'boolean' | 'object' | 'list' | 'file' | 'chat';
type Spec = Readonly<Record<string, `${Kind}` | `${Kind}!`>>;

const SEND: Spec = {
  chat_id: 'chat!',
  message_thread_id: 'integer',
  reply_markup: 'object',
  reply_parameters: 'object',
};

export const METHODS: Readonly<Record<string, Spec>> = {
  getMe: {},
  getUpdates: { offset: 'integer', limit: 'integer', timeout: 'integer', allowed_updates: 'list' },
  getWebhookInfo: {},
  deleteWebhook: { drop_pending_updates: 'boolean' },
  setWebhook: { url: 'string!', secret_token: 'string', allowed_updates: 'list', max_connections: 'integer' },
  sendMessage: { ...SEND, text: 'string!', parse_mode: 'string', link_preview_options: 'object' },
  sendPhoto: { ...SEND, photo: 'file!', caption: 'string', parse_mode: 'string' },
  sendDocument: { ...SEND, document: 'file!', caption: 'string', parse_mode: 'string' },
  editMessageText: {
    ...{ chat_id: 'chat!', message_id: 'integer!', text: 'string!', parse_mode: 'string' },
    ...{ link_preview_options: 'object', reply_markup: 'object' },
  },
  deleteMessage: { chat_id: 'chat!', message_id: 'integer!' },
  setMessageReaction: { chat_id: 'chat!', message_id: 'integer!', reaction: 'list', is_big: 'boolean' },
  sendChatAction: { chat_id: 'chat!', message_thread_id: 'integer', action: 'string!' },
  answerCallbackQuery: { callback_query_id: 'string!', text: 'string', show_alert: 'boolean' },
  getChat: { chat_id: 'chat!' },
  getFile: { file_id: 'string!' },
};

const isKind = (value: unknown, kind: string): boolean => {
  switch (kind) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'chat':
      return Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d+$/.test(value));
    case 'list':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'file':
      return value instanceof Blob;
    default:
      return typeof value === kind;
  }
};

/** What is wrong with the parameters of a known method, or null. The real one passes over names it does not know: a fake must not. */
export function faultOf(method: string, params: Readonly<Record<string, unknown>>): string | null {
  const spec = METHODS[method] ?? {};
  for (const [name, value] of Object.entries(params)) {
    const kind = spec[name];
    if (kind === undefined) return `there is no parameter ${name} of ${method}`;
    if (value !== undefined && !isKind(value, kind.replace('!', ''))) return `can't parse parameter ${name}`;
  }
  const missing = Object.entries(spec).find(([name, kind]) => kind.endsWith('!') && params[name] === undefined);
  return missing ? `parameter "${missing[0]}" is required` : null;
}

/** A form as a method reads it: numbers and JSON in their fields. */
function paramsOf(form: FormData): Record<string, unknown> {
  const entries = [...form].map(([name, value]) => [name, typeof value === 'string' ? plain(value) : value] as const);
  return Object.fromEntries(entries);
}

function plain(value: string): unknown {
  if (!/^(-?\d+$|[[{])/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** What a request asks for, as JSON or as a form; null where it is neither. */
export async function readParams(incoming: IncomingMessage, body: Buffer): Promise<Record<string, unknown> | null> {
  const type = incoming.headers['content-type'] ?? '';
  try {
    if (type.startsWith('multipart/')) {
      return paramsOf(await new Response(body, { headers: { 'content-type': type } }).formData());
    }
    return body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as Record<string, unknown>);
  } catch {
    return null;
  }
}
