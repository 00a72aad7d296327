#!/usr/bin/env python3
"""Where the demo's X-LoRA sends its test questions: mean scalings over all sites and the tokens of question and answer, without the system
head that every chat begins with, beside the figures measured with the reference in torch.

    ./lory serve &
    src/test/scripts/routing.py [--url http://127.0.0.1:8080] [--limit N] [--in-flight 8]

Exits 1 if a mean differs from its figure by more than --tolerance."""
import argparse
import concurrent.futures
import json
import pathlib
import sys
import urllib.request

DEMO = pathlib.Path(__file__).resolve().parents[3] / "integration-tests" / "resources" / "demo"
TASKS = ["math", "reasoning", "biology"]


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as response:
        return json.load(response)


def head(options):
    """Tokens that every chat begins with."""
    chats = [post(options.url + "/tokenize", {"messages": [{"role": "user", "content": text}]})["tokens"] for text in ["Who?", "7"]]
    return next(i for i, pair in enumerate(zip(*chats)) if pair[0] != pair[1])


def ask(options, skipped, question):
    body = {"model": "xlora", "temperature": 0, "max_tokens": 40, "adapter_scalings": "full",
            "messages": [{"role": "user", "content": question["prompt"]}]}
    scalings = post(options.url + "/v1/chat/completions", body)["choices"][0]["adapter_scalings"]
    sums = dict.fromkeys(scalings["adapters"], 0.0)
    tokens = scalings["scalings"][skipped:]
    for token in tokens:
        for site in token:
            for name, value in zip(scalings["adapters"], site):
                sums[name] += value
    return sums, len(tokens) * len(scalings["sites"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--limit", type=int, help="only the first so many questions of each task")
    parser.add_argument("--in-flight", type=int, default=8)
    parser.add_argument("--tolerance", type=float, default=0.02)
    options = parser.parse_args()
    figures = json.loads((DEMO / "figures.json").read_text())["mean_scalings"]
    skipped, worst = head(options), 0.0
    print(f"mean scalings, in brackets those of the reference; {skipped} tokens of the head left out")
    print(f"{'questions':<12}" + "".join(f"{adapter:>18}" for adapter in TASKS))
    for task in TASKS:
        questions = [json.loads(line) for line in (DEMO / f"{task}.test.jsonl").open()][:options.limit]
        with concurrent.futures.ThreadPoolExecutor(options.in_flight) as pool:
            answers = list(pool.map(lambda question: ask(options, skipped, question), questions))
        places = sum(count for _, count in answers)
        row = f"{task:<12}"
        for adapter in TASKS:
            mean = sum(sums[adapter] for sums, _ in answers) / places
            worst = max(worst, abs(mean - figures[task][adapter]))
            row += f"{mean:>9.3f} ({figures[task][adapter]:.3f})"
        print(row, flush=True)
    print(f"largest difference from a figure: {worst:.3f}")
    return 1 if options.limit is None and worst > options.tolerance else 0


if __name__ == "__main__":
    sys.exit(main())
