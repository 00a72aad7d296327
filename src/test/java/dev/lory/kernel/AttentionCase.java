package dev.lory.kernel;

import dev.lory.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Sequences whose keys and values lie in scattered blocks, and the rows of them that ask. Keys and values are halves, so that a cache of
 * halves loses nothing.
 */
final class AttentionCase {
    private static final int LAYERS = 2;
    private static final int LAYER = 1;

    /** The last rows of a sequence of so many tokens. */
    private record Span(int context, int rows) {}

    private static final List<Span> SHORT = List.of(
            new Span(1, 1),
            new Span(2, 2),
            new Span(15, 3),
            new Span(16, 1),
            new Span(17, 17),
            new Span(33, 33),
            new Span(100, 1),
            new Span(64, 7));
    private static final List<Span> LONG =
            List.of(new Span(1000, 7), new Span(5, 5), new Span(257, 1), new Span(1000, 1), new Span(513, 18));

    private final AttentionShape shape;
    private final int blockSize;
    private final List<Span> spans;
    private final int[][] tables;
    private final int blocks;
    private final Tensor q;
    private final Tensor k;
    private final Tensor v;

    private AttentionCase(AttentionShape shape, int blockSize, List<Span> spans) {
        this.shape = shape;
        this.blockSize = blockSize;
        this.spans = spans;
        Samples samples = new Samples(shape.headDim() + blockSize);
        int[] perSpan = spans.stream()
                .mapToInt(span -> (span.context + blockSize - 1) / blockSize)
                .toArray();
        blocks = IntStream.of(perSpan).sum() + 3;
        int[] scattered = samples.shuffled(blocks);
        tables = new int[perSpan.length][];
        int next = 0;
        for (int s = 0; s < perSpan.length; s++) {
            tables[s] = Arrays.copyOfRange(scattered, next, next += perSpan[s]);
        }
        int positions = spans.stream().mapToInt(Span::context).sum();
        q = samples.numbers(rows(), shape.heads() * shape.headDim());
        k = samples.halves(positions, shape.kvHeads() * shape.headDim());
        v = samples.halves(positions, shape.kvHeads() * shape.headDim());
    }

    private AttentionCase(AttentionCase of) {
        shape = of.shape;
        blockSize = of.blockSize;
        spans = of.spans;
        tables = of.tables;
        blocks = of.blocks;
        q = of.q;
        k = of.k;
        v = Samples.magnitudes(of.v);
    }

    static Stream<AttentionCase> all() {
        return Stream.of(
                of(4, 4, 8, 16, SHORT),
                of(8, 2, 16, 1, SHORT),
                of(3, 1, 32, 8, SHORT),
                of(9, 3, 64, 16, SHORT),
                of(9, 3, 64, 16, LONG),
                of(4, 2, 80, 24, SHORT),
                of(7, 1, 96, 32, LONG),
                of(5, 5, 128, 512, SHORT),
                of(2, 1, 256, 512, LONG),
                of(6, 3, 20, 5, SHORT),
                windowed(9, 3, 64, 16, 0, 1, SHORT),
                windowed(9, 3, 64, 16, 0, 17, SHORT),
                windowed(4, 2, 80, 24, 0, 30, LONG),
                windowed(6, 3, 20, 5, 0, 100, LONG),
                windowed(7, 1, 96, 512, 0, 256, LONG),
                windowed(2, 1, 256, 16, 50, Integer.MAX_VALUE, LONG),
                windowed(4, 2, 40, 8, 0.5f, 64, LONG),
                windowed(8, 4, 32, 16, 3, 4096, SHORT));
    }

    private static AttentionCase of(int heads, int kvHeads, int headDim, int blockSize, List<Span> spans) {
        float scale = (float) (1 / Math.sqrt(headDim));
        return new AttentionCase(AttentionShape.full(heads, kvHeads, headDim, scale), blockSize, spans);
    }

    private static AttentionCase windowed(
            int heads, int kvHeads, int headDim, int blockSize, float softCap, int window, List<Span> spans) {
        float scale = (float) (1 / Math.sqrt(headDim));
        return new AttentionCase(new AttentionShape(heads, kvHeads, headDim, scale, softCap, window), blockSize, spans);
    }

    /** All rows that ask. */
    int rows() {
        return spans.stream().mapToInt(Span::rows).sum();
    }

    /** Fills a cache of the backend; the answer attends for some of the rows. */
    RowContract.Operands on(Backend backend) {
        KvCache kv = backend.allocateKv(LAYERS, blocks, blockSize, k.cols());
        for (int s = 0, first = 0; s < tables.length; s++) {
            int context = spans.get(s).context;
            StepBatch batch = new StepBatch(context);
            batch.sequence(tables[s], 0);
            for (int p = 0; p < context; p++) {
                batch.add(0, p, slot(s, p));
            }
            Tensor keys = backend.upload(k.slice(first, context));
            Tensor values = backend.upload(v.slice(first, context));
            backend.storeKv(keys, values, kv, LAYER, batch);
            // what another layer holds must not matter
            backend.storeKv(values, keys, kv, 0, batch);
            first += context;
        }
        Tensor queries = backend.upload(q);
        return (from, count) -> {
            Tensor y = Outputs.blank(backend, count, q.cols());
            backend.attention(queries.slice(from, count), kv, LAYER, shape, batch(from, count), y);
            return new Tensor[] {y};
        };
    }

    private int slot(int sequence, int position) {
        return tables[sequence][position / blockSize] * blockSize + position % blockSize;
    }

    private StepBatch batch(int from, int count) {
        StepBatch batch = new StepBatch(count);
        int row = 0;
        for (int s = 0; s < tables.length; s++) {
            Span span = spans.get(s);
            boolean open = false;
            for (int p = span.context - span.rows; p < span.context; p++, row++) {
                if (row >= from && row < from + count) {
                    if (!open) {
                        batch.sequence(tables[s], 0);
                        open = true;
                    }
                    batch.add(0, p, slot(s, p));
                }
            }
        }
        return batch;
    }

    /**
     * What rounding in F32 can do to each output: a score is off by head_dim · 2⁻²⁴ · |q|·|k| · scale, capped or not, its weight by twice that share, and
     * the sum over the context by its length · 2⁻²⁴, both of Σ weight · |v|.
     */
    double[][] bound(Backend reference) {
        double[][] sums =
                Outputs.read(reference, new AttentionCase(this).on(reference).compute(0, rows())[0]);
        double key = longest(k, 0, k.rows(), shape.kvHeads());
        int longest = spans.stream().mapToInt(Span::context).max().orElseThrow();
        for (int row = 0; row < sums.length; row++) {
            double score = (shape.headDim() + 4) * longest(q, row, 1, shape.heads()) * key * shape.scale();
            for (int i = 0; i < sums[row].length; i++) {
                sums[row][i] *= (2 * score + longest + 32) * 0x1p-24;
            }
        }
        return sums;
    }

    /** The largest norm of a head in some rows. */
    private double longest(Tensor of, int from, int count, int heads) {
        double longest = 0;
        for (int r = from; r < from + count; r++) {
            for (int head = 0; head < heads; head++) {
                double squares = 0;
                for (int i = head * shape.headDim(); i < (head + 1) * shape.headDim(); i++) {
                    squares += (double) of.get(r, i) * of.get(r, i);
                }
                longest = Math.max(longest, Math.sqrt(squares));
            }
        }
        return longest;
    }

    @Override
    public String toString() {
        return shape.heads() + " heads on " + shape.kvHeads() + " of " + shape.headDim() + ", blocks of " + blockSize
                + ", contexts " + spans.stream().map(Span::context).toList() + ", cap " + shape.softCap() + ", window "
                + shape.window();
    }
}
