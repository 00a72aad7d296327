#!/usr/bin/env python3
"""A thousand registered adapters, 32 of them resident, beside five: throughput and time to the first token under S-LoRA's arrivals.

    ./lory --version && src/test/scripts/thousand-adapters.py [--requests 200] [--rounds 3] [--alpha 0.1,1] [--rate 8,1.5] [--all-linears]

Traffic as S-LoRA's (arXiv:2311.03285, benchmarks/trace.py): gaps between arrivals are Gamma distributed with mean 1/rate, adapters are numbered
by n * u^(1/alpha), so alpha 1 is uniform and 0.1 gives the first of a thousand half of all requests; prompts and answers have 8 to 512 tokens. Each
round asks the same requests, at the same times, of a service with five adapters and of one with a thousand; a rate above what the machine can do
shows throughput, one below it shows waiting. Adapters have rank 8 on the attention's linears as in S-LoRA's setting S1, 2 % of the base, and random
numbers; with --all-linears they have rank 16 on all linears, 10 % of the base. They are made in a temporary folder (2 or 10 GB).
"""
import argparse
import collections
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
import urllib.request

from start import HOME, Lory

MANY, FEW, SLOTS = 1000, 5, 32
LAYERS = 30
ATTENTION = {"q_proj": ("self_attn", 576, 576), "k_proj": ("self_attn", 576, 192), "v_proj": ("self_attn", 576, 192), "o_proj": ("self_attn", 576, 576)}
MLP = {"gate_proj": ("mlp", 576, 1536), "up_proj": ("mlp", 576, 1536), "down_proj": ("mlp", 1536, 576)}
# The upper byte of an F16 number near 2^-6, for any byte: its sign, and the exponent.
SMALL = bytes(0x24 | value & 0x80 for value in range(256))


def make(folder, count, rank, modules):
    rng = random.Random(7)
    common = rng.randbytes(1 << 26)
    for number in range(count):
        adapter = folder / f"adapter-{number:04}"
        adapter.mkdir()
        (adapter / "adapter_config.json").write_text(json.dumps(
            {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": rank, "target_modules": list(modules),
             "base_model_name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct"}))
        header, size = {}, 0
        for layer in range(LAYERS):
            for module, (path, inputs, outputs) in modules.items():
                for name, shape in [("lora_A", [rank, inputs]), ("lora_B", [outputs, rank])]:
                    header[f"base_model.model.model.layers.{layer}.{path}.{module}.{name}.weight"] = {
                        "dtype": "F16", "shape": shape, "data_offsets": [size, size + 2 * shape[0] * shape[1]]}
                    size += 2 * shape[0] * shape[1]
        text = json.dumps(header).encode()
        own = bytearray(size)
        begin = 2 * rng.randrange((len(common) - size) // 2)
        own[0::2] = common[begin : begin + size : 2]
        own[1::2] = common[begin + 1 : begin + size : 2].translate(SMALL)
        (adapter / "adapter_model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + own)


def trace(options, adapters, alpha, rate, seed):
    """Requests: when, which adapter, tokens in, tokens out."""
    rng = random.Random(seed)
    shape = 1 / options.cv ** 2
    at, requests = 0.0, []
    for _ in range(options.requests):
        at += rng.gammavariate(shape, 1 / (rate * shape))
        requests.append((at, int(adapters * rng.random() ** (1 / alpha)), rng.randint(8, 512), rng.randint(8, 512)))
    return requests


class Run:
    """One trace against one service."""

    def __init__(self, lory, requests):
        self.address = urllib.parse.urlsplit(lory.url)
        self.requests = requests
        self.first, self.refused, self.lock = {}, collections.Counter(), threading.Lock()
        self.began = time.time()
        threads = [threading.Thread(target=self.ask, args=[number]) for number in range(len(requests))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.seconds = time.time() - self.began

    def ask(self, number):
        at, adapter, tokens, output = self.requests[number]
        rng = random.Random(number)
        body = json.dumps({"model": f"adapter-{adapter:04}", "prompt": [rng.randrange(1000, 40000) for _ in range(tokens)],
                           "max_tokens": output, "ignore_eos": True, "temperature": 0, "stream": True})
        time.sleep(max(0, self.began + at - time.time()))
        asked = time.time()
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=1200)
        connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status == 200:
            while not (line := answer.readline()).startswith(b"data:"):
                if not line:
                    break
            first = time.time() - asked
            rest = answer.read()
            whole = rest.rstrip().endswith(b"[DONE]")
        with self.lock:
            if answer.status == 200 and whole:
                self.first[number] = first
            else:
                self.refused[answer.status] += 1
        connection.close()

    def tokens(self):
        return sum(self.requests[number][2] + self.requests[number][3] for number in self.first)

    def percentile(self, share, numbers=None):
        values = sorted(self.first[number] for number in (self.first if numbers is None else numbers) if number in self.first)
        return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")

    def rare(self):
        """Requests for adapters that few ask for, and the others."""
        asked = collections.Counter(request[1] for request in self.requests)
        rare = [number for number, request in enumerate(self.requests) if asked[request[1]] <= 2]
        return rare, [number for number in range(len(self.requests)) if asked[self.requests[number][1]] > 2]


def metrics(lory):
    lines = urllib.request.urlopen(lory.url + "/metrics").read().decode().splitlines()
    return {line.rsplit(" ", 1)[0].split("{")[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("lory_")}


def serve(folder, work):
    work.mkdir()
    return Lory(HOME, work, dict(os.environ), "--adapters", str(folder), "--max-loras", str(SLOTS), "--max-num-seqs", "32")


def measure(options, services, alpha, rate):
    ratios, runs = [], {FEW: [], MANY: []}
    for seed in range(options.rounds):
        for adapters in ([FEW, MANY] if seed % 2 == 0 else [MANY, FEW]):
            run = Run(services[adapters], trace(options, adapters, alpha, rate, seed))
            runs[adapters].append(run)
            rare, often = run.rare()
            print(f"alpha {alpha} rate {rate} seed {seed} adapters {adapters}: {len(run.first) / run.seconds:.2f} requests/s, "
                  f"{run.tokens() / run.seconds:.0f} tokens/s; first token p50 {run.percentile(0.5):.2f} s, p99 {run.percentile(0.99):.2f} s, "
                  f"at most {run.percentile(1):.2f} s (rare adapters {run.percentile(1, rare):.2f} s, others {run.percentile(1, often):.2f} s); "
                  f"refused {dict(run.refused)}", flush=True)
        ratios.append(runs[MANY][-1].tokens() / runs[MANY][-1].seconds / (runs[FEW][-1].tokens() / runs[FEW][-1].seconds))
    print(f"alpha {alpha} rate {rate}: {MANY} / {FEW} adapters, tokens/s: median {statistics.median(ratios):.2f}, "
          f"{min(ratios):.2f} to {max(ratios):.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alpha", default="0.1,1")
    parser.add_argument("--rate", default="8,1.5")
    parser.add_argument("--cv", type=float, default=1)
    parser.add_argument("--all-linears", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        services = {}
        try:
            for adapters in [FEW, MANY]:
                folder = work / f"adapters-{adapters}"
                folder.mkdir()
                make(folder, adapters, 16 if options.all_linears else 8, ATTENTION | MLP if options.all_linears else ATTENTION)
                services[adapters] = serve(folder, work / f"service-{adapters}")
                print(f"{adapters} adapters: ready after {services[adapters].ready:.1f} s", flush=True)
            for alpha in map(float, options.alpha.split(",")):
                for rate in map(float, options.rate.split(",")):
                    measure(options, services, alpha, rate)
            for adapters, service in services.items():
                print(f"{adapters} adapters: {metrics(service)}, {service.megabytes():.0f} MB")
        finally:
            for service in services.values():
                service.stop()


if __name__ == "__main__":
    main()
