/** The part of the HTTP API that is about the network of agents, as types only. */

/**
 * GET /v1/agents/:name/hosts; PUT and DELETE {host} change one rule and answer the same: a host name, `*.name` for all
 * below it, or a preset. `hosts` are those a preset stands for, null for `web`, which stands for every public one, none for `search`.
 */
export type HostsView = { agent: string; rules: HostRuleView[]; presets: string[]; refused: RefusedHostView[] };
export type HostRuleView = { rule: string; allowedAt: string; allowedBy: string; hosts: string[] | null };

/** What was refused lately, newest first. `host` is empty where none could be read. `sentence`: what was said inside. */
export type RefusedHostView = { host: string; reason: string; times: number; at: string };
/** GET, PUT and DELETE /v1/search: the endpoint agents search by, null where none is set. `key` names a secret. */
export type SearchInput = { engine: 'searxng' | 'brave' | 'tavily'; baseUrl?: string; key?: string | null };
export type SearchView = { engine: 'searxng' | 'brave' | 'tavily'; baseUrl: string; key: string | null };

export type HostInput = { host: string };
