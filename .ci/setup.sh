#!/usr/bin/env bash
# Installs what is missing of the named sections of packages.txt:
#
#   .ci/setup.sh build [tests] [lint]
#
# Asks no questions, and needs neither network nor rights when everything is there.
set -euo pipefail
list=$(dirname "${BASH_SOURCE[0]}")/packages.txt

packages_of() {
  awk -v section="[$1]" '
    { sub(/#.*/, ""); gsub(/[ \t]+/, "") }
    /^\[/ { inside = ($0 == section); next }
    inside && NF' "$list"
}

missing=()
for section in "$@"; do
  names=$(packages_of "$section")
  if [ -z "$names" ]; then
    echo "$0: no section [$section] in $list" >&2
    exit 2
  fi
  for name in $names; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$name")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "These Debian packages are missing, and there is no sudo to install them with:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 \
    -o Acquire::Retries=3 -q -y "$@" </dev/null
}

echo "Installing ${missing[*]}"
apt update
apt install --no-install-recommends "${missing[@]}"
