#!/usr/bin/env python3
"""How long answers stop while a long prompt is being read beside them.

    ./lory --version && src/test/scripts/inter-token.py [--max-step-ms 0,100] [--streams 1,8] [--prompt 4000] [--rounds 3]

Some answers stream; then somebody sends a long prompt of random tokens. Told are the times from one token of an answer to the next, before the prompt came and
while it was read, and how long the prompt took until its first token. Services with different --max-step-ms run at the same time, in turn.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import statistics
import tempfile
import threading
import time
import urllib.parse

from start import HOME, Lory


def ids(rng, count):
    return [rng.randrange(1000, 40000) for _ in range(count)]


def complete(url, prompt, tokens, seen):
    """Streams a completion; each token's time is told."""
    address = urllib.parse.urlparse(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=600)
    connection.request("POST", "/v1/completions", json.dumps(
        {"adapters": [], "prompt": prompt, "max_tokens": tokens, "ignore_eos": True, "temperature": 0, "stream": True, "return_token_ids": True}),
        {"Content-Type": "application/json"})
    for line in connection.getresponse():
        if line.startswith(b"data: {") and json.loads(line[6:])["choices"][0].get("token_ids"):
            seen.append(time.time())


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def measure(url, streams, options, rng):
    answers, threads = [[] for _ in range(streams)], []
    for seen in answers:
        threads.append(threading.Thread(target=complete, args=(url, ids(rng, 16), options.tokens, seen)))
        threads[-1].start()
    while min(len(seen) for seen in answers) < 60:
        time.sleep(0.01)
    first, came = [], time.time()
    complete(url, ids(rng, options.prompt), 1, first)
    gaps = {True: [], False: []}
    for seen in answers:
        for before, after in zip(seen, seen[1:]):
            if after < first[0]:
                gaps[after > came].append(after - before)
    for thread in threads:
        thread.join()
    return gaps[False], gaps[True], first[0] - came


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-step-ms", default="0,100")
    parser.add_argument("--streams", default="1,8")
    parser.add_argument("--prompt", type=int, default=4000)
    parser.add_argument("--tokens", type=int, default=700)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rng = random.Random(5)
    with tempfile.TemporaryDirectory() as name:
        services = {}
        try:
            for limit in options.max_step_ms.split(","):
                work = pathlib.Path(name) / limit
                work.mkdir()
                services[limit] = Lory(HOME, work, dict(os.environ), "--max-step-ms", limit)
            print("| max-step-ms | streams | before: p50, ms | p99 | beside the prompt: p50, ms | p99 | at most | p99 / p50 | prompt's first token, s |")
            print("|---|---|---|---|---|---|---|---|---|")
            for streams in map(int, options.streams.split(",")):
                rows = {limit: ([], [], []) for limit in services}
                for _ in range(options.rounds):
                    for limit, lory in services.items():
                        before, beside, first = measure(lory.url, streams, options, rng)
                        rows[limit][0].extend(before)
                        rows[limit][1].extend(beside)
                        rows[limit][2].append(first)
                for limit, (before, beside, firsts) in rows.items():
                    times = [1000 * percentile(values, share) for values in (before, beside) for share in (0.5, 0.99)]
                    print(f"| {limit} | {streams} | {times[0]:.0f} | {times[1]:.0f} | {times[2]:.0f} | {times[3]:.0f} | {1000 * max(beside, default=0):.0f} | "
                          f"{times[3] / times[2]:.1f} | {statistics.median(firsts):.1f} |", flush=True)
        finally:
            for lory in services.values():
                lory.stop()


if __name__ == "__main__":
    main()
