#!/usr/bin/env bash
# Copies a store in a folder, whatever works in it meanwhile:   backup.sh STORE COPY
#
# What lies in a store is written once, each object before those that name it. So everything that was written
# before a moment is whole, and that is what is copied: nothing newer than the beginning. Left out are what is
# replaced (the pointer to the current release and the catalogue, both of which are computed from the rest) and
# Dagster's records. Releases' manifests come last: a purge meanwhile removes them before their files.
#
# Which files it takes is told on standard output instead, each with a NUL after it, if there is no COPY: for
# restic, borg and the like. COPY is a new folder. GNU find and tar.
set -euo pipefail

[ $# -eq 1 ] || [ $# -eq 2 ] || { echo "usage: backup.sh STORE [COPY]" >&2; exit 2; }
store=$1 begun=$(date +%s.%N)
[ -d "$store/releases" ] || { echo "$store holds no release" >&2; exit 2; }

files() {
  cd "$store"
  find . \( -path ./.tmp -o -path ./dagster -o -path ./releases/current.json -o -name 'freg.duckdb*' \) -prune \
    -o -type f ! -newermt "@$begun" "$@" -print0
}
taken() {
  files ! -path './releases/*'
  files -path './releases/*'
}

if [ $# -eq 1 ]; then
  taken
  exit
fi
copy=$2
mkdir --mode 700 --parents "$copy"
[ -z "$(ls --almost-all "$copy")" ] || { echo "$copy isn't empty" >&2; exit 2; }
list=$(mktemp)
trap 'rm -f "$list"' EXIT
taken >"$list"
# What goes meanwhile (a purge, the staging tables of a sync) isn't missed.
tar --create --file - --directory "$store" --null --files-from "$list" --ignore-failed-read --warning no-failed-read |
  tar --extract --file - --directory "$copy" --same-permissions
sync --file-system "$copy"
echo "$copy holds $store as of $(date --utc --date "@$begun" +%FT%TZ)"
