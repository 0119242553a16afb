import type { Place } from './place.ts';

const list = (text: string): string => text.split('\n').join(' ');

/** Its files, user, processes and environment, as its own commands tell them. */
export async function look({ shell }: Place): Promise<string> {
  const [where, entries, who, root, names, homes] = await Promise.all([
    shell('pwd'),
    shell('ls -A | head -8'),
    shell('echo "$(id -u) on $(uname -n)"'),
    shell('ls /'),
    shell('env | cut -d= -f1 | sort'),
    shell('LC_ALL=C ls /home /root 2>&1 | sed "s/^ls: cannot access //" | head -3'),
  ]);
  const processes = await shell('cat /proc/[0-9]*/comm 2>/dev/null | head -12');
  return [
    `I am in ${where}, as user ${who}. What lies here: ${list(entries) || 'nothing yet'}.`,
    `The root of my files: ${list(root)}.`,
    `Your home folders, looked for from here: ${homes.split('\n').join('; ')}.`,
    `Processes I see: ${processes.split('\n').join(', ')}.`,
    `My environment has these names and no key: ${list(names)}.`,
  ].join('\n');
}
