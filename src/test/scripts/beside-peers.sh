#!/bin/sh
# Lory's base and llama.cpp on the same files, in turns: one table for each file and number of threads.
#
#   mkdir /tmp/peer && (cd /tmp/peer && npm install --ignore-scripts node-llama-cpp@3.22.1)
#   src/test/scripts/beside-peers.sh /tmp/peer MODEL.gguf ... [-- FLAGS OF BENCH, such as --kernels vector]
set -eu
home=$(cd "$(dirname "$0")/../../.." && pwd)
peer=$1
shift
files=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    files="$files $1"
    shift
done
[ $# -gt 0 ] && shift
cp "$home/src/test/scripts/llama-bench.mjs" "$peer"
for file in $files; do
    for threads in ${THREADS:-1 2}; do
        "$home/lory" bench --model "$file" --threads "$threads" --prompt "${PROMPT:-512}" --gen "${GEN:-64}" --reps "${REPS:-5}" \
            --compare "cd $peer && node llama-bench.mjs {model} --threads {threads} --prompt {prompt} --gen {gen} --reps 1" "$@" 2>&1 |
            grep -Ev '^(\{|loading|loaded)'
    done
done
