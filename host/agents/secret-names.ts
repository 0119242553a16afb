/** Names behind which people and programs keep credentials. A name that is missing here is a folder that may be given. */

/** As one step of a path. */
export const SECRET_STEP: RegExp =
  /^(\.ssh|\.gnupg|\.aws|\.azure|\.kube|\.docker|\.password-store|\.mozilla|\.thunderbird|\.claude|\.codex|\.gemini|\.netrc|\.git-credentials|\.vault-token|\.env(\..+)?|id_(rsa|dsa|ecdsa|ed25519).*|.+\.(pem|key|p12|pfx|kdbx)|\.?secrets?|\.?credentials?)$/i;

/** Several steps of one: what programs keep in there, or what is started from there by itself. */
export const SECRET_STEPS: RegExp =
  /\/\.config(\/(gcloud|gh|op|rclone|containers|systemd|autostart|google-chrome|chromium)(\/|$)|$)|\/\.local(\/(bin|share\/(keyrings|systemd))(\/|$)|(\/share)?$)/i;

/** Folders directly below one that make it somebody's home, whatever it is called. */
export const SECRET_FOLDERS: readonly string[] = [
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.kube',
  '.password-store',
  '.mozilla',
  '.config/gcloud',
];

/** Files that are at home in projects too: a folder that holds one may be given, and whoever gives it is told. */
export const SECRET_FILES: readonly string[] = [
  '.env',
  '.env.local',
  '.env.production',
  '.npmrc',
  '.pypirc',
  '.netrc',
  '.git-credentials',
  'credentials.json',
  'id_rsa',
  'id_ed25519',
];
