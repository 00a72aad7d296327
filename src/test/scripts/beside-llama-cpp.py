#!/usr/bin/env python3
"""Lory and llama.cpp on the same file, in turns: medians, spread and ratio of prefill and decode speed.

    mkdir /tmp/peer && cd /tmp/peer && npm install --ignore-scripts node-llama-cpp@3.22.1
    src/test/scripts/beside-llama-cpp.py --peer /tmp/peer [--rounds 5] [--threads 2]

Each round starts both programs anew, so that neither keeps the better moments of a shared machine for itself."""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess

HOME = pathlib.Path(__file__).resolve().parents[3]
MODEL = HOME / "models" / "smollm2-135m-instruct" / "SmolLM2-135M-Instruct.Q4_1.gguf"


def lory(options):
    command = [HOME / "lory", "bench", "--prompt", options.prompt, "--gen", options.gen, "--reps", options.reps,
               "--threads", options.threads, "--adapter", f"math={HOME / 'models' / 'adapters' / 'math'}",
               "--distribution", "identical,idle"]
    out = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout
    return {line["case"]: line for line in map(json.loads, out.splitlines())}


def llama(options):
    script = options.peer / "llama-bench.mjs"
    shutil.copy(HOME / "src" / "test" / "scripts" / "llama-bench.mjs", script)
    command = ["node", script, MODEL, "--threads", options.threads, "--prompt", options.prompt, "--gen", options.gen,
               "--reps", options.reps]
    out = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True, cwd=options.peer)
    return json.loads(out.stdout.splitlines()[-1])


def shown(values):
    median = statistics.median(values)
    return f"{median:9.2f}  ({min(values):.2f} to {max(values):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=pathlib.Path, required=True, help="the folder with node-llama-cpp")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reps", type=int, default=3, help="within a round")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--gen", type=int, default=128)
    options = parser.parse_args()
    figures = {}
    for _ in range(options.rounds):
        ours, theirs = lory(options), llama(options)
        for speed in ("prefill", "decode"):
            base, peer = ours["base"][f"{speed}_tok_s"], theirs[f"{speed}_tok_s"]
            for name, value in [("Lory, tok/s", base), ("llama.cpp, tok/s", peer), ("Lory / llama.cpp", base / peer),
                                ("one adapter / base", ours["identical"][f"{speed}_ratio_to_base"]),
                                ("adapter loaded, unused / base", ours["idle"][f"{speed}_ratio_to_base"])]:
                figures.setdefault(speed, {}).setdefault(name, []).append(value)
    for speed, rows in figures.items():
        print(speed)
        for name, values in rows.items():
            print(f"  {name:32s}{shown(values)}")


if __name__ == "__main__":
    main()
