#!/usr/bin/env python3
"""Starts Lory as a newcomer does and measures: time to ready, to the first answer of the printed curl line, memory, first request beside tenth.

    src/test/scripts/start.py [--starts 3]          this checkout, a new data folder each time
    src/test/scripts/start.py --clone               a fresh clone of HEAD with an empty Maven repository, so that everything is downloaded
"""
import argparse
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request

HOME = pathlib.Path(__file__).resolve().parents[3]


class Lory:
    """A running service."""

    def __init__(self, home, work, environment, *flags):
        self.began = time.time()
        self.out = (work / "out").open("w+")
        self.process = subprocess.Popen([str(home / "lory"), "serve", "--port", "0", "--data", str(work / "data"), *flags],
                                        stdout=self.out, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        self.curl = self.await_curl()
        self.ready = time.time() - self.began
        self.url = self.curl.split()[2].removesuffix("/v1/chat/completions")

    def await_curl(self):
        while self.process.poll() is None:
            lines = pathlib.Path(self.out.name).read_text().splitlines()
            found = [line.strip() for line in lines if line.startswith("  curl ")]
            if found:
                return found[0]
            time.sleep(0.02)
        raise SystemExit("Lory ended:\n" + pathlib.Path(self.out.name).read_text())

    def first_answer(self):
        """What the printed line answers when it is pasted, and the seconds since the start."""
        answer = subprocess.run(self.curl, shell=True, capture_output=True, text=True, check=True).stdout
        return json.loads(answer)["choices"][0]["message"]["content"], time.time() - self.began

    def megabytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def seconds(self, seed):
        """One completion: 64 random tokens in, 32 out."""
        ids = [random.Random(seed).randrange(1000, 40000) for _ in range(64)]
        body = {"adapters": [], "prompt": ids, "max_tokens": 32, "ignore_eos": True, "temperature": 0}
        request = urllib.request.Request(self.url + "/v1/completions", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        began = time.time()
        with urllib.request.urlopen(request) as response:
            json.load(response)
        return time.time() - began

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def clone(work):
    home = work / "a clone"  # with a space on purpose
    subprocess.run(["git", "clone", "-q", str(HOME), str(home)], check=True)
    environment = dict(os.environ, MAVEN_OPTS=os.environ.get("MAVEN_OPTS", "") + f" -Dmaven.repo.local={work / 'm2'}")
    return home, environment


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--clone", action="store_true")
    options = parser.parse_args()
    ratios = []
    for start in range(1 if options.clone else options.starts):
        with tempfile.TemporaryDirectory() as name:
            work = pathlib.Path(name)
            home, environment = clone(work) if options.clone else (HOME, dict(os.environ))
            lory = Lory(home, work, environment)
            try:
                if options.clone:
                    text, answered = lory.first_answer()
                    print(f"ready after {lory.ready:.0f} s, first answer after {answered:.0f} s: {text!r}")
                    continue
                memory = lory.megabytes()
                times = [lory.seconds(seed) for seed in range(10)]
                ratios.append(times[0] / times[9])
                text, _ = lory.first_answer()
                print(f"ready after {lory.ready:.1f} s with {memory:.0f} MB; first request {1000 * times[0]:.0f} ms, "
                      f"tenth {1000 * times[9]:.0f} ms, ratio {ratios[-1]:.2f}; {lory.megabytes():.0f} MB after; "
                      f"the printed line answers {text!r}", flush=True)
            finally:
                lory.stop()
    if ratios:
        print(f"first request / tenth: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
