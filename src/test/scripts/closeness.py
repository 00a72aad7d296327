#!/usr/bin/env python3
"""How close the fast kernels come to the reference (which gives the tokens of transformers and PEFT): the comparison that was made with
llama.cpp on the same file, over the same questions, through `lory run-batch`.

    src/test/scripts/closeness.py [--kernels native] [--limit 50]

The reference is slow: some twenty minutes."""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

HOME = pathlib.Path(__file__).resolve().parents[3]
DEMO = HOME / "integration-tests" / "resources" / "demo"
MODEL = HOME / "models" / "smollm2-135m-instruct"
TASKS = ("math", "reasoning", "biology")
FIRST_STEPS = 10


def requests(limit):
    for task in TASKS:
        questions = [json.loads(line)["prompt"] for line in (DEMO / f"{task}.test.jsonl").open()]
        for mode, count, tokens in ((task, limit, 40), ("base", min(10, limit), 64)):
            for i, question in enumerate(questions[:count]):
                yield f"{mode}/{task}/{i}", {"max_tokens": tokens, "logprobs": True, "top_logprobs": 2}, mode, question
        if task == "math":
            for i, question in enumerate(questions[:FIRST_STEPS]):
                yield f"logits/{task}/{i}", {"max_tokens": 1, "logprobs": True, "top_logprobs": -1}, task, question


def answers(kernels, batch, work):
    out = work / f"{kernels}.jsonl"
    command = [HOME / "lory", "run-batch", "-i", batch, "-o", out, "--kernels", kernels, "--max-logprobs", "-1"]
    for task in TASKS:
        command += ["--adapter", f"{task}={HOME / 'models' / 'adapters' / task}"]
    # the reference keeps four bytes of Java heap for each weight
    environment = dict(os.environ, LORY_JAVA_OPTS=os.environ.get("LORY_JAVA_OPTS", "-Xmx4g"))
    subprocess.run([str(part) for part in command], check=True, env=environment)
    found = {}
    for line in map(json.loads, out.open()):
        if line.get("error") or line["response"]["status_code"] != 200:
            raise SystemExit(f"{line['custom_id']}: {line}")
        found[line["custom_id"]] = line["response"]["body"]["choices"][0]
    return found


def logit_difference(one, other):
    """Of two distributions over the whole vocabulary: logits are log-probabilities but for one number, taken so that the largest difference is least."""
    a, b = ({entry["token"]: entry["logprob"] for entry in choice["logprobs"]["content"][0]["top_logprobs"]}
            for choice in (one, other))
    differences = [a[token] - b[token] for token in a]
    return (max(differences) - min(differences)) / 2


def gap(choice, other):
    """Between the two best tokens of the reference, in logits, where the other takes another way."""
    for step, otherwise in zip(choice["logprobs"]["content"], other["logprobs"]["content"]):
        if step["token"] != otherwise["token"]:
            best, second = step["top_logprobs"]
            return best["logprob"] - second["logprob"]
    return 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", default="auto")
    parser.add_argument("--limit", type=int, default=50, help="questions of each task for its own adapter")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        batch = work / "in.jsonl"
        with batch.open("w") as out:
            for key, extra, mode, question in requests(options.limit):
                body = {"model": MODEL.name, "adapters": [] if mode == "base" else [mode], "temperature": 0,
                        "return_tokens_as_token_ids": True, "messages": [{"role": "user", "content": question}], **extra}
                out.write(json.dumps({"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}) + "\n")
        fast, truth = answers(options.kernels, batch, work), answers("reference", batch, work)
    counts, gaps, differences = {}, {}, []
    for key, choice in truth.items():
        mode, task, _ = key.split("/")
        if mode == "logits":
            differences.append(logit_difference(fast[key], choice))
        else:
            same, total = counts.get((mode, task), (0, 0))
            equal = fast[key]["message"]["content"] == choice["message"]["content"]
            counts[mode, task] = (same + equal, total + 1)
            if not equal:
                gaps.setdefault((mode, task), []).append(gap(choice, fast[key]))
    for (mode, task), (same, total) in sorted(counts.items()):
        print(f"{mode} on {task}: {same} of {total} outputs identical; the reference's two best tokens where the others part: "
              + (", ".join(f"{one:.2f}" for one in sorted(gaps.get((mode, task), []))) or "-"))
    print(f"largest logit difference, first step of {len(differences)} prompts: {min(differences):.2f} to {max(differences):.2f}")


if __name__ == "__main__":
    main()
