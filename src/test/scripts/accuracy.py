#!/usr/bin/env python3
"""Exact-match accuracy of the demo model and its adapters over HTTP, beside the figures measured with transformers and PEFT.

    ./lory serve &
    src/test/scripts/accuracy.py [--url http://127.0.0.1:8080] [--limit N] [--in-flight 16] [--modes base,math] [--save answers.jsonl]
    src/test/scripts/accuracy.py --modes xlora/1,xlora/2,xlora/4,xlora/8,xlora      non_granular_index 1, 2, ... beside none

Exits 1 if an accuracy differs from its figure by more than --tolerance (a share of the questions)."""
import argparse
import concurrent.futures
import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.request

DEMO = pathlib.Path(__file__).resolve().parents[3] / "integration-tests" / "resources" / "demo"
TASKS = ["math", "reasoning", "biology"]
NAMES = ["Anna", "Ben", "Carl", "Dan", "Emma", "Frank", "Grace", "Henry", "Jack", "Kate", "Leo", "Mary",
         "Nick", "Oscar", "Paul", "Rose", "Sam", "Tom", "Lucy", "Max"]
AMINO_ACIDS = {
    "methionine": "Met", "alanine": "Ala", "phenylalanine": "Phe", "leucine": "Leu", "isoleucine": "Ile", "serine": "Ser",
    "tyrosine": "Tyr", "cysteine": "Cys", "tryptophan": "Trp", "proline": "Pro", "histidine": "His", "glutamine": "Gln",
    "arginine": "Arg", "threonine": "Thr", "asparagine": "Asn", "lysine": "Lys", "valine": "Val", "aspartic acid": "Asp",
    "aspartate": "Asp", "glutamic acid": "Glu", "glutamate": "Glu", "glycine": "Gly"}
CODES = sorted(set(AMINO_ACIDS.values()))


def correct(task, answer, text):
    """Lenient in form, the same for every model: the last integer; the first or last k names; the last k amino acids or triplets."""
    if task == "math":
        numbers = re.findall(r"-?\d+", text.replace(",", " ").replace("=", " "))
        return bool(numbers) and numbers[-1] == answer
    if task == "reasoning":
        want = answer.split(", ")
        got = re.findall("|".join(NAMES), text)
        return want in (got[:len(want)], got[-len(want):])
    if "-" in answer:
        want = answer.split("-")
        words = "|".join(sorted(AMINO_ACIDS, key=len, reverse=True) + CODES)
        found = re.findall(rf"(?<![A-Za-z])({words})(?![A-Za-z])", text, re.IGNORECASE)
        got = [AMINO_ACIDS.get(word.lower(), word.capitalize()) for word in found]
    else:
        want = answer.split(" ")
        spaced = re.sub(r"(?<![A-Z])((?:[ACGU]{3})+)(?![A-Z])", lambda run: " ".join(re.findall("...", run.group(1))), text)
        got = re.findall(r"(?<![A-Za-z])[ACGU]{3}(?![A-Za-z])", spaced)
    return len(got) >= len(want) and got[-len(want):] == want


def post(url, body, key):
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = "Bearer " + key
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    while True:
        try:
            with urllib.request.urlopen(request, timeout=600) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code != 429:
                raise SystemExit(f"{url} answered {error.code}: {error.read().decode(errors='replace')}")
            time.sleep(float(error.headers.get("Retry-After", 1)))


def ask(options, model, mode, question):
    name, _, index = mode.partition("/")
    body = {"model": model, "adapters": [] if mode == "base" else [name], "temperature": 0,
            "max_tokens": 64 if mode == "base" else 40,
            "messages": [{"role": "user", "content": question["prompt"]}]}
    if index:
        body["xlora"] = {"non_granular_index": int(index)}
    answer = post(options.url + "/v1/chat/completions", body, options.key)
    return answer["choices"][0]["message"]["content"], answer["usage"]["completion_tokens"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key", help="API key, if the server asks for one")
    parser.add_argument("--model", help="default: the first of /v1/models")
    parser.add_argument("--modes", default="base," + ",".join(TASKS))
    parser.add_argument("--limit", type=int, help="only the first so many questions of each task")
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--tolerance", type=float, default=0.04)
    parser.add_argument("--save", help="the answers as JSON lines")
    options = parser.parse_args()
    model = options.model
    if model is None:
        headers = {"Authorization": "Bearer " + options.key} if options.key else {}
        with urllib.request.urlopen(urllib.request.Request(options.url + "/v1/models", headers=headers)) as response:
            model = json.load(response)["data"][0]["id"]
    figures = json.loads((DEMO / "figures.json").read_text())["accuracy"]
    questions = {task: [json.loads(line) for line in (DEMO / f"{task}.test.jsonl").open()][:options.limit] for task in TASKS}
    saved, worst = [], 0.0
    print(f"{model} at {options.url}, greedy, {options.in_flight} requests in flight; measured (figure of transformers and PEFT), %")
    print(f"{'mode':<12}" + "".join(f"{task:>18}" for task in TASKS) + f"{'seconds':>10}{'tok/s':>8}")
    for mode in options.modes.split(","):
        started, tokens, row = time.time(), 0, f"{mode:<12}"
        with concurrent.futures.ThreadPoolExecutor(options.in_flight) as pool:
            jobs = [(task, question, pool.submit(ask, options, model, mode, question))
                    for task in TASKS for question in questions[task]]
            right = dict.fromkeys(TASKS, 0)
            for task, question, job in jobs:
                text, count = job.result()
                tokens += count
                verdict = correct(task, question["answer"], text)
                right[task] += verdict
                saved.append({"mode": mode, "task": task, **question, "text": text, "correct": verdict})
        for task in TASKS:
            share = right[task] / len(questions[task])
            figure = figures[mode.partition("/")[0]][task]
            if "/" not in mode:
                worst = max(worst, abs(share - figure))
            row += f"{100 * share:>8.1f} ({100 * figure:>5.1f}) "
        seconds = time.time() - started
        print(row + f"{seconds:>10.0f}{tokens / seconds:>8.1f}", flush=True)
    if options.save:
        with open(options.save, "w") as out:
            out.writelines(json.dumps(line) + "\n" for line in saved)
    print(f"largest difference from a figure: {100 * worst:.1f} points")
    return 1 if options.limit is None and worst > options.tolerance else 0


if __name__ == "__main__":
    sys.exit(main())
