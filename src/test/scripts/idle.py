#!/usr/bin/env python3
"""What Lory takes of the processor while nobody asks anything: its own process, and the database's.

    src/test/scripts/idle.py [--seconds 60]

Starts the demo, answers some requests at the same time, waits until they are cold, and then only looks at /proc. Exits 1 above one per cent of
one processor.
"""
import argparse
import concurrent.futures
import os
import pathlib
import sys
import tempfile
import time

from start import HOME, Lory

TICKS = os.sysconf("SC_CLK_TCK")


def stat(pid):
    """A process' name, parent, and processor time in seconds."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
    return name, int(rest[1]), (int(rest[11]) + int(rest[12])) / TICKS


def family(root):
    """Processor time of a process and all below it, by pid and name."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = stat(entry.name)
            except (FileNotFoundError, ProcessLookupError):
                pass
    members = {root}
    while True:
        more = {pid for pid, (_, parent, _) in found.items() if parent in members} - members
        if not more:
            return {pid: (found[pid][0], found[pid][2]) for pid in members if pid in found}
        members |= more


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        lory = Lory(HOME, pathlib.Path(name), dict(os.environ))
        try:
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(lory.seconds, range(16)))
            time.sleep(20)
            before = family(lory.process.pid)
            time.sleep(options.seconds)
            after = family(lory.process.pid)
        finally:
            lory.stop()
    shares = {}
    for pid, (process, seconds) in after.items():
        if pid in before:
            shares[process] = shares.get(process, 0) + 100 * (seconds - before[pid][1]) / options.seconds
    for process, share in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"{process}: {share:.2f} % of a processor")
    print(f"all: {sum(shares.values()):.2f} %")
    return 1 if sum(shares.values()) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
