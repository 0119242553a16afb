/** Who speaks over the socket. Whoever could open it is an owner already; the header only says which of them. */
export function callerOf(claimed: string | undefined, hostUid: number): string {
  const uid = claimed !== undefined && /^\d{1,10}$/.test(claimed) ? claimed : String(hostUid);
  return `local:${uid}`;
}
