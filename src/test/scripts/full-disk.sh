#!/bin/sh
# A data folder without room: the service must say so in one sentence and end with status 2. Needs root, for a small tmpfs.
set -eu

if [ "$(id -u)" != 0 ]; then
  echo "skipped: only root may mount a small tmpfs" >&2
  exit 0
fi
home=$(cd "$(dirname "$0")/../../.." && pwd)
small=$(mktemp -d)
said=$(mktemp)
if ! mount -t tmpfs -o size=8m tmpfs "$small" 2>/dev/null; then
  rmdir "$small"
  echo "skipped: this system does not let us mount a tmpfs" >&2
  exit 0
fi
trap 'umount "$small"; rmdir "$small"; rm -f "$said"' EXIT

code=0
timeout 120 "$home/lory" serve --port 0 --data "$small/data" >"$said" 2>&1 || code=$?
cat "$said"
if [ "$code" = 2 ] && grep -q "^lory: .*$small/data" "$said" && ! grep -q '^[[:space:]]*at ' "$said"; then
  echo "as wanted"
else
  echo "FAILED: wanted one sentence that names the folder, and status 2, not $code" >&2
  exit 1
fi
