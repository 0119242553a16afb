#!/bin/sh
# One step of image/Dockerfile, inside `docker build`: install.sh STEP. It reads build.env beside it; what Docker was given
# by --build-arg stands in the environment and wins, also when it is empty.
# Secrets, all optional: `apt` (sources instead of the base image's), `ca` (certificates to trust), `npmrc`.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
apt_sources=/run/secrets/apt ca=/run/secrets/ca npmrc=/run/secrets/npmrc

while IFS='=' read -r name value; do
  case $name in '' | '#'*) continue ;; esac
  eval "[ -n \"\${$name+given}\" ] || $name=\$value"
done <"$here/build.env"

fail() {
  echo "halfdoor image: $*" >&2
  exit 1
}

# Whether one of the named is in WITH.
with() {
  for it; do case ",$WITH," in *",$it,"*) return 0 ;; esac; done
  return 1
}

apt_install() {
  rm -f /etc/apt/apt.conf.d/docker-clean # it would empty the cache that is mounted here
  options='-qq -o Acquire::Retries=3 -o APT::Keep-Downloaded-Packages=true'
  if [ -f $apt_sources ]; then
    listed=/tmp/apt.list # what a file holds, apt knows by its ending
    ! grep -q '^Types:' $apt_sources || listed=/tmp/apt.sources
    cp $apt_sources $listed
    options="$options -o Dir::Etc::sourcelist=$listed -o Dir::Etc::sourceparts=/nowhere"
  fi
  [ ! -f $ca ] || options="$options -o Acquire::https::CaInfo=$ca"
  apt-get $options update
  for it in 'exclude=/usr/share/doc/*' 'include=/usr/share/doc/*/copyright' 'exclude=/usr/share/man/*' 'exclude=/usr/share/locale/*'; do
    echo "path-$it"
  done >/etc/dpkg/dpkg.cfg.d/halfdoor
  DEBIAN_FRONTEND=noninteractive apt-get $options install -y --no-install-recommends "$@"
  rm -f /tmp/apt.list /tmp/apt.sources
}

# package, version: the archive of that name in the registry, unpacked into $3, if it is the one of runtime/package-lock.json.
fetch_pinned() {
  registry=https://registry.npmjs.org
  if [ -f $npmrc ]; then
    other=$(sed -n 's/^registry *= *//p' $npmrc | tail -n 1)
    registry=${other:-$registry}
  fi
  pinned=$(grep -A 2 "\"node_modules/$1\": {" /build/package-lock.json) || fail "runtime/package-lock.json has no $1"
  case $pinned in
    *"\"version\": \"$2\""*) ;;
    *) fail "$1 $2 is not the version of runtime/package-lock.json: set the one that stands there in image/build.env" ;;
  esac
  wanted=$(printf %s "$pinned" | sed -n 's/.*"integrity": "sha512-\(.*\)".*/\1/p')
  [ ! -f $ca ] || set -- "$@" --cacert $ca
  package=$1 version=$2 folder=$3
  shift 3
  curl -fsSL --retry 3 "$@" -o /tmp/it.tgz "${registry%/}/$package/-/${package##*/}-$version.tgz"
  got=$(openssl dgst -sha512 -binary /tmp/it.tgz | base64 -w 0)
  [ "$got" = "$wanted" ] || fail "what the registry sent as $package $version is not what runtime/package-lock.json says"
  mkdir -p "$folder"
  tar -xzf /tmp/it.tgz -C "$folder" --strip-components=1 --no-same-owner
  rm /tmp/it.tgz
}

machine() {
  case $(uname -m) in
    x86_64) echo "$1" ;;
    aarch64) echo "$2" ;;
    *) fail "this machine ($(uname -m)) is not one Halfdoor knows" ;;
  esac
}

trust() {
  [ ! -f $npmrc ] || export NPM_CONFIG_USERCONFIG=$npmrc
  [ ! -f $ca ] || export NODE_EXTRA_CA_CERTS=$ca NPM_CONFIG_CAFILE=$ca
}

asked() {
  for it in $(echo "$WITH" | tr , ' '); do
    case $it in
      claude | codex | opencode | gemini | browser | vercel | python) ;;
      *) fail "WITH names $it; known: claude, codex, opencode, gemini, browser, vercel, python" ;;
    esac
  done
  hash=$(sha256sum /build/bun.lock | cut -c-12)
  [ "${RUNNER_LOCK-}" = "$hash" ] || fail "the image must say for which runner it is: --build-arg RUNNER_LOCK=$hash"
  echo "$hash" >/runner-lock
}

system() {
  apt_install bash ca-certificates curl git jq less openssl procps ripgrep tini unzip xz-utils
}

bun() {
  fetch_pinned "@oven/bun-linux-$(machine x64 aarch64)" "$BUN_VERSION" /tmp/bun
  mv /tmp/bun/bin/bun /usr/bin/bun
  ln -s bun /usr/bin/bunx
  rm -r /tmp/bun
  bun=$(/usr/bin/bun --version)
  [ "$bun" = "$BUN_VERSION" ] || fail "Bun says it is $bun, not $BUN_VERSION"
}

# What is installed by npm needs it, most of it also to run.
node() {
  with claude codex opencode gemini browser vercel || return 0
  fetch_pinned "node-linux-$(machine x64 arm64)" "$NODE_VERSION" /tmp/node
  mv /tmp/node/bin/node /usr/bin/node
  rm -r /tmp/node
  trust
  mkdir -p /usr/lib/node_modules /tmp/npm
  cd /tmp/npm
  echo '{}' >package.json
  [ ! -f $npmrc ] || cp $npmrc .npmrc
  set --
  [ ! -f $ca ] || set -- --cafile=$ca
  /usr/bin/bun add --silent --exact --ignore-scripts "$@" "npm@$NPM_VERSION"
  mv node_modules/npm /usr/lib/node_modules/npm
  ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/bin/npm
  ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/bin/npx
  cd / && rm -r /tmp/npm
}

more() {
  packages=
  ! with python || packages='python3 python3-pip python3-venv'
  ! with browser || packages="$packages chromium fonts-liberation"
  ! with browser || [ "$INSTALL_CJK_FONTS" != true ] || packages="$packages fonts-noto-cjk"
  [ -z "$packages" ] || apt_install $packages
}

# its name in WITH, package, version
by_npm() {
  with "$1" || return 0
  if [ -z "$3" ]; then
    echo "$2 is left out: its version is empty"
    return 0
  fi
  trust
  npm install --global --prefix /usr --no-audit --no-fund --no-update-notifier "$2@$3"
}

claude() { by_npm claude @anthropic-ai/claude-code "$CLAUDE_CODE_VERSION"; }
codex() { by_npm codex @openai/codex "$CODEX_VERSION"; }
opencode() { by_npm opencode opencode-ai "$OPENCODE_VERSION"; }
gemini() { by_npm gemini @google/gemini-cli "$GEMINI_VERSION"; }
agent_browser() { by_npm browser agent-browser "$AGENT_BROWSER_VERSION"; }
vercel() { by_npm vercel vercel "$VERCEL_VERSION"; }

# The home is for all to pass: the host starts the agent as its own user, whatever number that has.
finish() {
  useradd --create-home --home-dir /home/agent --shell /bin/bash --uid 1000 agent
  chmod 755 /home/agent
  mkdir -p /s /app /usr/lib/halfdoor
  cp "$here/entrypoint.sh" /usr/lib/halfdoor/entrypoint.sh
  chmod 755 /usr/lib/halfdoor/entrypoint.sh
  find / -xdev -type f -perm /6000 -exec chmod a-s {} +
}

case ${1-} in
  asked | system | bun | node | more) "$1" ;;
  claude | codex | opencode | gemini | agent_browser | vercel) "$1" ;;
  finish) finish ;;
  *) fail "no step is called ${1-}" ;;
esac
