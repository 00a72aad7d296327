package dev.lory.kernel.cpu;

import dev.lory.kernel.Activation;
import dev.lory.kernel.AttentionShape;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.StepBatch;
import dev.lory.kernel.Weight;
import dev.lory.tensor.DType;
import dev.lory.tensor.Layouts;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;

/**
 * Speed of the backend alone on a random model of SmolLM2-135M's shape: prefill of 512 and decode of 128 tokens with a base, then
 * with a rank-16 adapter on every linear. Arguments: kernels, threads, rounds, sequences decoded together (each with its own adapter).
 */
final class CpuBackendSpeed {
    private static final int LAYERS = 30;
    private static final int HIDDEN = 576;
    private static final int KV = 192;
    private static final int INNER = 1536;
    private static final int VOCABULARY = 49152;
    private static final int PROMPT = 512;
    private static final int CONTEXT = 1024;
    private static final int BLOCK = 16;
    private static final AttentionShape SHAPE = AttentionShape.full(9, 3, 64, 0.125f);

    private final Random random = new Random(1);
    private final CpuBackend backend;
    private final int sequences;
    private final Weight head;
    private final Tensor norm;
    private final Tensor cos;
    private final Tensor sin;
    private final Weight[][][] weights = new Weight[LAYERS][][];
    private final LoraFactors[][][][] factors = new LoraFactors[LAYERS][][][];
    private final KvCache kv;
    private final Buffers prompt;
    private final Buffers step;
    private final float[] logits = new float[VOCABULARY];

    /** The activations of up to so many rows. */
    private final class Buffers {
        final Tensor x;
        final Tensor normed;
        final Tensor[] qkv;
        final Tensor attended;
        final Tensor[] mlp;
        final Tensor[] out;
        final Tensor last;
        final Tensor[] logits;

        Buffers(int rows) {
            x = backend.allocate(rows, HIDDEN);
            normed = backend.allocate(rows, HIDDEN);
            qkv = new Tensor[] {backend.allocate(rows, HIDDEN), backend.allocate(rows, KV), backend.allocate(rows, KV)};
            attended = backend.allocate(rows, HIDDEN);
            mlp = new Tensor[] {backend.allocate(rows, INNER), backend.allocate(rows, INNER)};
            out = new Tensor[] {backend.allocate(rows, HIDDEN)};
            last = backend.allocate(sequences, HIDDEN);
            logits = new Tensor[] {backend.allocate(sequences, VOCABULARY)};
        }
    }

    private CpuBackendSpeed(CpuBackend backend, int sequences) {
        this.backend = backend;
        this.sequences = sequences;
        head = weight(DType.Q8_0, VOCABULARY, HIDDEN);
        int[][][] sites = {
            {{HIDDEN, HIDDEN}, {KV, HIDDEN}, {KV, HIDDEN}},
            {{HIDDEN, HIDDEN}},
            {{INNER, HIDDEN}, {INNER, HIDDEN}},
            {{HIDDEN, INNER}}
        };
        for (int layer = 0; layer < LAYERS; layer++) {
            weights[layer] = new Weight[sites.length][];
            factors[layer] = new LoraFactors[sites.length][][];
            for (int i = 0; i < sites.length; i++) {
                int[][] shapes = sites[i];
                weights[layer][i] = Arrays.stream(shapes)
                        .map(s -> weight(DType.Q4_1, s[0], s[1]))
                        .toArray(Weight[]::new);
                factors[layer][i] =
                        Arrays.stream(shapes).map(s -> adapters(s[0], s[1])).toArray(LoraFactors[][]::new);
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            Tensor ones = Tensor.allocate(arena, DType.F32, 1, HIDDEN);
            Tensor c = Tensor.allocate(arena, DType.F32, CONTEXT, 32);
            Tensor s = Tensor.allocate(arena, DType.F32, CONTEXT, 32);
            for (int i = 0; i < HIDDEN; i++) {
                ones.set(0, i, 1);
            }
            for (int p = 0; p < CONTEXT; p++) {
                for (int i = 0; i < 32; i++) {
                    c.set(p, i, (float) Math.cos(p * Math.pow(1e5, -i / 32.0)));
                    s.set(p, i, (float) Math.sin(p * Math.pow(1e5, -i / 32.0)));
                }
            }
            norm = backend.upload(ones);
            cos = backend.upload(c);
            sin = backend.upload(s);
        }
        kv = backend.allocateKv(LAYERS, sequences * CONTEXT / BLOCK, BLOCK, KV);
        prompt = new Buffers(PROMPT);
        step = new Buffers(sequences);
    }

    private Weight weight(DType dtype, int rows, int cols) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor tensor = Tensor.allocate(arena, dtype, rows, cols);
            byte[] bytes = new byte[(int) tensor.bytes()];
            random.nextBytes(bytes);
            tensor.storage().copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes));
            for (long block = 0; block < bytes.length; block += dtype.blockBytes()) {
                float d = dtype == DType.Q8_0 ? 0.0005f : 0.008f;
                tensor.storage().set(Layouts.SHORT, block, Float.floatToFloat16(d));
                if (dtype == DType.Q4_1) {
                    tensor.storage().set(Layouts.SHORT, block + 2, Float.floatToFloat16(-7.5f * d));
                }
            }
            return backend.load(tensor);
        }
    }

    private LoraFactors[] adapters(int out, int in) {
        LoraFactors[] slots = new LoraFactors[sequences];
        for (int i = 0; i < sequences; i++) {
            try (Arena arena = Arena.ofConfined()) {
                slots[i] = backend.loadLora(halves(arena, 16, in), halves(arena, out, 16), 2);
            }
        }
        return slots;
    }

    private Tensor halves(Arena arena, int rows, int cols) {
        Tensor tensor = Tensor.allocate(arena, DType.F16, rows, cols);
        for (long i = 0; i < (long) rows * cols; i++) {
            tensor.storage().set(Layouts.SHORT, 2 * i, Float.floatToFloat16(0.01f * random.nextFloat()));
        }
        return tensor;
    }

    private void linear(int layer, int i, StepBatch batch, Tensor x, Tensor[] ys) {
        backend.project(weights[layer][i], x, ys);
        backend.lora(factors[layer][i], new int[factors[layer][i].length], batch.adapters(), x, ys);
    }

    private static Tensor[] slice(Tensor[] of, int rows) {
        return Arrays.stream(of).map(t -> t.slice(0, rows)).toArray(Tensor[]::new);
    }

    /** One walk over the rows of a full batch. */
    private void forward(Buffers b, StepBatch batch) {
        backend.embed(head, batch, b.x);
        for (int layer = 0; layer < LAYERS; layer++) {
            backend.rmsNorm(b.x, norm, 1e-5f, b.normed);
            linear(layer, 0, batch, b.normed, b.qkv);
            backend.rope(b.qkv[0], 64, cos, sin, batch);
            backend.rope(b.qkv[1], 64, cos, sin, batch);
            backend.storeKv(b.qkv[1], b.qkv[2], kv, layer, batch);
            backend.attention(b.qkv[0], kv, layer, SHAPE, batch, b.attended);
            linear(layer, 1, batch, b.attended, b.out);
            backend.add(b.out[0], b.x);
            backend.rmsNorm(b.x, norm, 1e-5f, b.normed);
            linear(layer, 2, batch, b.normed, b.mlp);
            backend.gate(Activation.SILU, b.mlp[0], b.mlp[1], b.mlp[0]);
            linear(layer, 3, batch, b.mlp[0], b.out);
            backend.add(b.out[0], b.x);
        }
        int[] rows = new int[batch.sequences()];
        for (int s = 0; s < rows.length; s++) {
            rows[s] = batch.start(s + 1) - 1;
        }
        Tensor last = b.last.slice(0, rows.length);
        backend.gatherRows(b.x, rows, last);
        backend.rmsNorm(last, norm, 1e-5f, last);
        backend.project(new Weight[] {head}, last, slice(b.logits, rows.length));
        backend.download(b.logits[0], 0, logits);
    }

    private int[] blocks(int sequence) {
        int[] table = new int[CONTEXT / BLOCK];
        Arrays.setAll(table, i -> sequence * table.length + (i * 37) % table.length);
        return table;
    }

    private static int slot(int[] table, int position) {
        return table[position / BLOCK] * BLOCK + position % BLOCK;
    }

    private double prefill(boolean adapted) {
        StepBatch batch = new StepBatch(PROMPT);
        batch.clear();
        int[] table = blocks(0);
        batch.sequence(table, 0);
        for (int p = 0; p < PROMPT; p++) {
            batch.add(random.nextInt(VOCABULARY), p, slot(table, p));
        }
        adapt(batch, adapted);
        long start = System.nanoTime();
        forward(prompt, batch);
        return PROMPT * 1e9 / (System.nanoTime() - start);
    }

    private void adapt(StepBatch batch, boolean adapted) {
        for (int s = 0; adapted && s < batch.sequences(); s++) {
            batch.adapters().group(s);
            for (int r = batch.start(s); r < batch.start(s + 1); r++) {
                batch.adapters().add(r, 1);
            }
        }
    }

    private double decode(boolean adapted) {
        StepBatch batch = new StepBatch(sequences);
        long start = System.nanoTime();
        int token = 1;
        for (int i = 0; i < 128; i++) {
            batch.clear();
            for (int s = 0; s < sequences; s++) {
                int[] table = blocks(s);
                batch.sequence(table, 0);
                batch.add(token, i, slot(table, i));
            }
            adapt(batch, adapted);
            forward(step, batch);
            int best = 0;
            for (int v = 1; v < VOCABULARY; v++) {
                best = logits[v] > logits[best] ? v : best;
            }
            token = best;
        }
        return 128.0 * sequences * 1e9 / (System.nanoTime() - start);
    }

    public static void main(String[] args) {
        int sequences = args.length > 3 ? Integer.parseInt(args[3]) : 1;
        int rounds = Integer.parseInt(args[2]);
        double[][] speeds = new double[4][rounds];
        try (CpuBackend backend =
                new CpuBackend(Integer.parseInt(args[1]), Kernels.valueOf(args[0].toUpperCase(Locale.ROOT)))) {
            CpuBackendSpeed model = new CpuBackendSpeed(backend, sequences);
            System.out.println(backend.description());
            for (int r = -3; r < rounds; r++) {
                double[] now = {model.prefill(false), model.prefill(true), model.decode(false), model.decode(true)};
                for (int i = 0; r >= 0 && i < 4; i++) {
                    speeds[i][r] = now[i];
                }
                System.out.printf("%d: %.0f %.0f | %.1f %.1f%n", r, now[0], now[1], now[2], now[3]);
            }
        }
        for (double[] speed : speeds) {
            Arrays.sort(speed);
        }
        System.out.printf(
                "prefill %.0f tok/s, with adapter %.0f; decode of %d: %.1f, with adapter %.1f%n",
                speeds[0][rounds / 2], speeds[1][rounds / 2], sequences, speeds[2][rounds / 2], speeds[3][rounds / 2]);
    }
}
