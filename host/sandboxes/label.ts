/** What a runner's argv carries, so that it can be told whose it is: exact, never a prefix of another install's. */
export const runLabel = (install: string, sessionId: string): string => `halfdoor-${install}-${sessionId}`;

export const isLabelOf = (install: string, argument: string): boolean => argument.startsWith(`halfdoor-${install}-`);
