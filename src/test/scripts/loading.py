#!/usr/bin/env python3
"""Loads models several times: seconds for the weights and for all, and the most memory taken while loading and warming up.

    ./lory test && ./lory serve, ended with Ctrl-C; then src/test/scripts/loading.py [--rounds 5] [--dtype auto] [MODEL ...]

Without models: the demo model, and a random one of TinyLlama 1.1B's shape in Q8_0 that is made in a temporary folder (1.2 GB). Each load is a
process of its own with the flags of `lory`; seconds are without the start of the JVM, and all is configuration, tokenizer, kernels and weights;
files are in the page cache. Memory is what a load takes from the system (RssAnon); pages of the mapped file are the page cache's.
"""
import argparse
import os
import pathlib
import random
import statistics
import struct
import subprocess
import tempfile
import time

HOME = pathlib.Path(__file__).resolve().parents[3]
DEMO = HOME / "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"
HIDDEN, KEYS, INNER, LAYERS, VOCABULARY = 2048, 256, 5632, 22, 32000
U32, F32, STRING, ARRAY = 4, 6, 8, 9


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key, kind, value):
    return text(key) + struct.pack("<I", kind) + value


def metadata():
    numbers = {"block_count": LAYERS, "context_length": 2048, "embedding_length": HIDDEN, "feed_forward_length": INNER,
               "attention.head_count": 32, "attention.head_count_kv": 4}
    letters = [chr(c) for c in [*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324)]]
    tokens = letters + ["ab"] + [f"<{i}>" for i in range(len(letters) + 1, VOCABULARY)]
    return [pair("general.architecture", STRING, text("llama")),
            *(pair("llama." + key, U32, struct.pack("<I", value)) for key, value in numbers.items()),
            pair("llama.attention.layer_norm_rms_epsilon", F32, struct.pack("<f", 1e-5)),
            pair("tokenizer.ggml.model", STRING, text("gpt2")),
            pair("tokenizer.ggml.pre", STRING, text("gpt-2")),
            pair("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQ", STRING, len(tokens)) + b"".join(map(text, tokens))),
            pair("tokenizer.ggml.merges", ARRAY, struct.pack("<IQ", STRING, 1) + text("a b"))]


def tensors():
    """Name, columns, rows; a norm has no rows."""
    yield "token_embd", HIDDEN, VOCABULARY
    for layer in range(LAYERS):
        for name, columns, rows in [("attn_norm", HIDDEN, 0), ("attn_q", HIDDEN, HIDDEN), ("attn_k", HIDDEN, KEYS),
                                    ("attn_v", HIDDEN, KEYS), ("attn_output", HIDDEN, HIDDEN), ("ffn_norm", HIDDEN, 0),
                                    ("ffn_gate", HIDDEN, INNER), ("ffn_up", HIDDEN, INNER), ("ffn_down", INNER, HIDDEN)]:
            yield f"blk.{layer}.{name}", columns, rows
    yield "output_norm", HIDDEN, 0
    yield "output", HIDDEN, VOCABULARY


def write_random(path):
    """A llama whose matrices are Q8_0 blocks of a scale and 32 random bytes; every size is a multiple of 32."""
    infos, sizes, offset = [], [], 0
    for name, columns, rows in tensors():
        dims = (columns, rows) if rows else (columns,)
        infos.append(text(name + ".weight") + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
                     + struct.pack("<IQ", 8 if rows else 0, offset))
        sizes.append((rows, rows * columns // 32 * 34 if rows else columns * 4))
        offset += sizes[-1][1]
    pairs = metadata()
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(pairs)) + b"".join(pairs + infos)
    rng = random.Random(1)
    blocks = b"".join(struct.pack("<e", 3e-4) + rng.randbytes(32) for _ in range(1 << 16))
    with path.open("wb") as out:
        out.write(head + b"\0" * (-len(head) % 32))
        for rows, size in sizes:
            data = blocks if rows else struct.pack("<f", 1) * HIDDEN
            for at in range(0, size, len(data)):
                out.write(data[:size - at])


def java():
    shown = subprocess.run(["sh", "-c", f'. "{HOME}/.mvn/jdk.sh"; printf %s "$JAVA_HOME"'], capture_output=True, text=True, check=True)
    return shown.stdout + "/bin/java"


def load(program, model, dtype, watched):
    """Seconds of the weights, seconds of all, and the most bytes that were the process's own; to watch it costs it time."""
    app = HOME / "target/quarkus-app"
    classes = f"{app}/quarkus-run.jar:{HOME}/target/test-classes"
    flags = ["--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
             "-XX:+UseSerialGC", "-Xms32m", "-Xmx512m", "-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=30",
             "-XX:+UseCompactObjectHeaders", "-Xlog:cds=off", "-Xlog:aot=off", f"-XX:SharedArchiveFile={app}/classes.jsa"]
    process = subprocess.Popen([program, *flags, "-cp", classes, "dev.lory.worker.LoadSpeed", str(model), dtype],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ, MALLOC_ARENA_MAX="2"))
    most = 0
    while watched and process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        own = [line for line in status.splitlines() if line.startswith("RssAnon")]
        most = max(most, int(own[0].split()[1]) * 1024 if own else 0)
        time.sleep(0.01)
    out = process.communicate()[0].split()
    if process.returncode or len(out) != 2:
        raise SystemExit(f"{model}: the load failed")
    return float(out[1]) - float(out[0]), float(out[1]), most


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    program = java()
    with tempfile.TemporaryDirectory() as name:
        models = options.models
        if not models:
            write_random(pathlib.Path(name) / "random-1.1b.gguf")
            models = [DEMO, pathlib.Path(name) / "random-1.1b.gguf"]
        for model in models:
            subprocess.run(["cat", model], stdout=subprocess.DEVNULL, check=True)  # into the page cache
            weights, seconds, _ = zip(*(load(program, model, options.dtype, False) for _ in range(options.rounds)))
            memory = [load(program, model, options.dtype, True)[2] for _ in range(options.rounds)]
            print(f"{model.name} of {model.stat().st_size / 1e6:.0f} MB: weights {statistics.median(weights):.2f} s "
                  f"({min(weights):.2f} to {max(weights):.2f}), all {statistics.median(seconds):.2f} s "
                  f"({min(seconds):.2f} to {max(seconds):.2f}); at most {statistics.median(memory) / 1e6:.0f} MB "
                  f"({min(memory) / 1e6:.0f} to {max(memory) / 1e6:.0f}), "
                  f"{(max(memory) - model.stat().st_size) / (1 << 20):.0f} MiB beyond the file's size", flush=True)


if __name__ == "__main__":
    main()
