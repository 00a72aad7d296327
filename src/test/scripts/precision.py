#!/usr/bin/env python3
"""What the precision of the base does to the demo's X-LoRA: its scalings, its next tokens, its answers.

    ./lory --version && src/test/scripts/precision.py [--bases f32,f16,q8_0,auto,q4_0] [--questions 30] [--reference f32]

Each base is served in turn. The reference answers the first so many test questions of each task; the others read the same
questions and answers. Told are the cosine of scalings (a vector of all sites and adapters for each token), how often the likeliest next token of an
answer is the reference's, and how many of the questions each answers by itself as it should, and word for word as the reference does.
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import tempfile
import urllib.request

from accuracy import DEMO, TASKS, correct
from start import HOME, Lory


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as response:
        return json.load(response)


def answer(url, question):
    body = {"model": "xlora", "temperature": 0, "max_tokens": 40, "return_token_ids": True,
            "messages": [{"role": "user", "content": question["prompt"]}]}
    choice = post(url + "/v1/chat/completions", body)["choices"][0]
    return choice["message"]["content"], choice["prompt_token_ids"], choice["token_ids"]


def read(url, prompt, output):
    """Scalings of every token of a prompt and its answer, and the likeliest token at each place of the answer."""
    body = {"model": "xlora", "temperature": 0, "max_tokens": 1, "prompt": prompt + output, "prompt_logprobs": 1, "adapter_scalings": "full"}
    choice = post(url + "/v1/completions", body)["choices"][0]
    likeliest = [int(max(place, key=lambda id: place[id]["logprob"])) for place in choice["prompt_logprobs"][len(prompt):]]
    return [[value for site in token for value in site] for token in choice["adapter_scalings"]["scalings"]], likeliest


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def measure(url, questions, reference, options):
    with concurrent.futures.ThreadPoolExecutor(options.in_flight) as pool:
        own = list(pool.map(lambda question: answer(url, question), questions))
        given = own if reference is None else reference["own"]
        seen = list(pool.map(lambda said: read(url, said[1], said[2]), given))
    right = sum(correct(question["task"], question["answer"], said[0]) for question, said in zip(questions, own))
    return {"own": own, "seen": seen, "right": right}


def compare(base, now, reference, questions):
    cosines, apart, agreed, places = [], 0.0, 0, 0
    for (scalings, likeliest), (wanted, expected) in zip(now["seen"], reference["seen"]):
        cosines += [cosine(a, b) for a, b in zip(scalings, wanted)]
        apart = max(apart, max(abs(x - y) for a, b in zip(scalings, wanted) for x, y in zip(a, b)))
        agreed += sum(a == b for a, b in zip(likeliest, expected))
        places += len(expected)
    cosines.sort()
    same = sum(a[0] == b[0] for a, b in zip(now["own"], reference["own"]))
    count = len(questions)
    print(f"| {base} | {sum(cosines) / len(cosines):.5f} | {cosines[len(cosines) // 100]:.5f} | {apart:.3f} | {100 * agreed / places:.1f} | "
          f"{100 * now['right'] / count:.1f} | {100 * same / count:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bases", default="f32,f16,q8_0,auto,q4_0")
    parser.add_argument("--reference", default="f32")
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--in-flight", type=int, default=8)
    options = parser.parse_args()
    questions = [{"task": task, **json.loads(line)} for task in TASKS
                 for line in (DEMO / f"{task}.test.jsonl").read_text().splitlines()[:options.questions]]
    reference = None
    print("| base | cosine, mean | of one token in a hundred | largest difference | next token, % | right, % | same answer, % |")
    print("|---|---|---|---|---|---|---|")
    for base in [options.reference] + [base for base in options.bases.split(",") if base != options.reference]:
        with tempfile.TemporaryDirectory() as name:
            lory = Lory(HOME, pathlib.Path(name), dict(os.environ), "--dtype", base)
            try:
                now = measure(lory.url, questions, reference, options)
            finally:
                lory.stop()
        reference = reference or now
        compare(base, now, reference, questions)


if __name__ == "__main__":
    main()
