#!/usr/bin/env python3
"""How long prompts of 100 kB take to become token ids: median of a line given to `lory tokenize` until its answer is there, reading, writing
and decoding included, after as many lines that count for nothing.

    src/test/scripts/tokenizer-speed.py [--rounds 9] [TOKENIZER ...]     default: the demo model's
"""
import argparse
import json
import pathlib
import random
import statistics
import subprocess
import time

HOME = pathlib.Path(__file__).resolve().parents[3]
BYTES = 100_000


def repeated(text):
    """The text as often as 100 kB hold it."""
    return (text * (BYTES // len(text.encode()) + 1)).encode()[:BYTES].decode(errors="ignore")


def kinds():
    chance = random.Random(1)
    chinese = "".join(chr(0x4E00 + chance.randrange(3000)) if i % 20 else "。" for i in range(BYTES // 3))
    return {
        "English": repeated("\n".join(path.read_text() for path in sorted((HOME / "docs").glob("*.md")))),
        "code": repeated("\n".join(path.read_text() for path in sorted((HOME / "src/main/java/dev/lory/engine").glob("*.java")))),
        "Chinese": repeated(chinese),
        "emoji": repeated("🦜😀"),
        "one letter": "a" * BYTES,
        "one long word": "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(BYTES)),
        "spaces": " " * BYTES,
        "line breaks": "\n" * BYTES,
        "<": "<" * BYTES,
    }


def measure(tokenizer, rounds):
    command = [str(HOME / "lory"), "tokenize"] + (["--tokenizer", tokenizer] if tokenizer else [])
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def milliseconds(line):
        began = time.perf_counter()
        process.stdin.write(line)
        process.stdin.flush()
        answer = process.stdout.readline()
        return 1000 * (time.perf_counter() - began), len(json.loads(answer)["ids"])

    print(f"| {tokenizer or 'demo'} | ms | ids |\n|---|---|---|")
    for kind, text in kinds().items():
        line = json.dumps({"text": text}) + "\n"
        for _ in range(rounds):
            milliseconds(line)
        times = [milliseconds(line) for _ in range(rounds)]
        print(f"| {kind} | {statistics.median(time for time, _ in times):.0f} | {times[0][1]} |", flush=True)
    process.stdin.close()
    process.wait()


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("tokenizers", nargs="*", default=[""], metavar="TOKENIZER")
parser.add_argument("--rounds", type=int, default=9)
arguments = parser.parse_args()
for path in arguments.tokenizers:
    measure(path, arguments.rounds)
