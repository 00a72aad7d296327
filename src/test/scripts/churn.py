#!/usr/bin/env python3
"""Loads, unloads and replaces adapters in a loop while 16 streams ask them, and checks every answer.

    ./lory --version && src/test/scripts/churn.py [--seconds 300] [--streams 16]

Two slots for four adapters. `reasoning` is unloaded and loaded; `changing` is retired and uploaded again, each time with other content than before;
`math` and `biology` are asked all the time. Each adapter answers its question in its own way, which is its marker: an answer that is not word for
word what the adapter, or for `changing` one of its contents, said before the loop is wrong. What is asked while it is away must be refused with 404.
At the end: memory by the minute, and the files that are left beside those of registered adapters.
"""
import argparse
import json
import os
import pathlib
import random
import tempfile
import threading
import time
import urllib.error
import urllib.request

from start import HOME, Lory

QUESTIONS = ["A shop has 35 eggs. It receives 21 and sells 8. How many eggs remain?", "What is 12 + 30 + 7?",
             "Tom is older than Ann. Ann is older than Bob. Who is the youngest?"]
CONTENTS = ["math", "biology"]
ASKED = ["math", "biology", "reasoning", "changing", "changing", "reasoning"]


class Client:
    def __init__(self, lory):
        self.url = lory.url

    def call(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(self.url + path, body, {"Content-Type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def ask(self, adapter, question):
        """Status, and the text of a streamed answer."""
        body = {"model": adapter, "messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": 24, "stream": True}
        status, text = self.call("POST", "/v1/chat/completions", json.dumps(body).encode())
        if status != 200:
            return status, text
        events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
        if any("error" in event for event in events) or not text.rstrip().endswith("data: [DONE]"):
            return 500, text
        return 200, "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])

    def upload(self, name, content):
        folder = HOME / "models/adapters" / content
        mark = "lory-churn-boundary"
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n'.encode()]
        for file in ["adapter_config.json", "adapter_model.safetensors"]:
            parts += [f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{file}"\r\n'
                      f'Content-Type: application/octet-stream\r\n\r\n'.encode(), (folder / file).read_bytes(), b"\r\n"]
        return self.call("POST", "/api/v1/adapters", b"".join(parts) + f"--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}")


class Churn:
    def __init__(self, lory, seconds):
        self.lory, self.client, self.end = lory, Client(lory), time.time() + seconds
        self.wanted, self.wrong = {}, []
        self.answers = self.refused = self.rounds = 0
        self.lock = threading.Lock()

    def learn(self):
        for adapter in ["math", "biology", "reasoning"]:
            for question in QUESTIONS:
                status, text = self.client.ask(adapter, question)
                assert status == 200, text
                self.wanted[adapter, question] = [text]
        for question in QUESTIONS:
            self.wanted["changing", question] = [self.wanted[content, question][0] for content in CONTENTS]
            assert len({self.wanted[adapter, question][0] for adapter in ["math", "biology", "reasoning"]}) == 3, "no marker: " + question

    def stream(self, seed):
        rng = random.Random(seed)
        while time.time() < self.end:
            adapter, question = rng.choice(ASKED), rng.choice(QUESTIONS)
            status, text = self.client.ask(adapter, question)
            with self.lock:
                if status == 200 and text in self.wanted[adapter, question]:
                    self.answers += 1
                elif status == 404 and adapter in ("reasoning", "changing"):
                    self.refused += 1
                else:
                    self.wrong.append((adapter, question, status, text))

    def operate(self):
        while time.time() < self.end:
            self.must(200, self.client.call("POST", "/api/v1/adapters/reasoning/unload?wait=5"))
            self.must(204, self.client.call("DELETE", "/api/v1/adapters/changing"))
            self.must(202, self.client.call("POST", "/api/v1/adapters/reasoning/load"))
            self.must(201, self.client.upload("changing", CONTENTS[self.rounds % len(CONTENTS)]))
            self.settle()
            self.rounds += 1
            time.sleep(1)

    def settle(self):
        """Waits until the new content is there; who is being loaded cannot be retired."""
        for _ in range(300):
            if json.loads(self.client.call("GET", "/api/v1/adapters/changing")[1])["state"] == "READY":
                return
            time.sleep(0.1)
        self.wrong.append(("operator", "changing is not READY after 30 s"))

    def must(self, wanted, answer):
        if answer[0] != wanted:
            self.wrong.append(("operator", wanted, *answer))

    def run(self, streams):
        self.learn()
        self.must(201, self.client.upload("changing", CONTENTS[-1]))
        threads = [threading.Thread(target=self.stream, args=[seed]) for seed in range(streams)] + [threading.Thread(target=self.operate)]
        for thread in threads:
            thread.start()
        memory = []
        while time.time() < self.end:
            memory.append(self.lory.megabytes())
            print(f"{self.answers} answers, {self.refused} refused while away, {self.rounds} rounds, {len(self.wrong)} wrong, {memory[-1]:.0f} MB", flush=True)
            time.sleep(min(30, max(0.1, self.end - time.time())))
        for thread in threads:
            thread.join()
        return memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--streams", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        lory = Lory(HOME, work, dict(os.environ), "--max-loras", "2")
        try:
            churn = Churn(lory, options.seconds)
            churn.run(options.streams)
            churn.must(204, churn.client.call("DELETE", "/api/v1/adapters/changing"))
            time.sleep(2)
            uploads = work / "data/adapters"
            left = sorted(str(path.relative_to(uploads)) for path in uploads.rglob("*")) if uploads.exists() else []
            print(f"{churn.answers} answers in {churn.rounds} rounds, {churn.refused} refused while away; wrong: {churn.wrong[:5] or 'none'}; "
                  f"{lory.megabytes():.0f} MB; files left: {left or 'none'}")
            raise SystemExit(1 if churn.wrong or left else 0)
        finally:
            lory.stop()


if __name__ == "__main__":
    main()
