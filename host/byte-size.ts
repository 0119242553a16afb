const MIB = 1024 * 1024;

/** Bytes for people: whole MiB, from 1 GiB on in GiB. */
export const size = (bytes: number): string =>
  bytes >= 1024 * MIB ? `${(bytes / 1024 / MIB).toFixed(1)} GiB` : `${Math.floor(bytes / MIB)} MiB`;
