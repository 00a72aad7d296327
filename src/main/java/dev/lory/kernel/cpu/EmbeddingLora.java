package dev.lory.kernel.cpu;

import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.RowGroups;
import dev.lory.kernel.StepBatch;

/** What adapters change in embeddings, on the calling thread: few adapters do, and only once in a step. */
final class EmbeddingLora implements AutoCloseable {
    private final Scratch low = new Scratch();

    /** As {@link dev.lory.kernel.Backend#embedLora}; rows of {@code y} are {@code width} floats. */
    void add(LoraFactors[] factors, int site, StepBatch batch, long y, int width) {
        RowGroups rows = batch.adapters();
        for (int g = 0; g < rows.groups(); g++) {
            switch (factors[rows.key(g)]) {
                case CpuLora lora -> add(lora, site, rows, g, batch, y, width);
                case CpuReplacement replacement -> {
                    for (int e = rows.start(g); e < rows.start(g + 1); e++) {
                        int row = rows.row(e);
                        replacement.weight().decode(batch.token(row), y + 4L * row * width);
                    }
                }
                default -> {
                    // this adapter leaves the embedding alone
                }
            }
        }
    }

    /** First {@code weight · scale · A[:, token]} for each row, then B, decoded once, times each of them. */
    private void add(CpuLora lora, int site, RowGroups rows, int g, StepBatch batch, long y, int width) {
        int rank = lora.rank();
        int from = rows.start(g);
        int count = rows.start(g + 1) - from;
        long factor = low.ensure(4L * rank * (count + 1));
        long first = factor + 4L * rank;
        long gains = lora.gain().address();
        for (int i = 0; i < count; i++) {
            float weight = rows.weight(from + i, site) * lora.scale();
            int token = batch.token(rows.row(from + i));
            for (int r = 0; r < rank; r++) {
                Memory.setFloat(first + 4L * (i * rank + r), weight * lora.a().element(r, token));
            }
        }
        for (int out = 0; out < width; out++) {
            lora.b().decode(out, factor);
            for (int i = 0; i < count; i++) {
                long at = y + 4L * ((long) rows.row(from + i) * width + out);
                float sum = 0;
                for (int r = 0; r < rank; r++) {
                    sum = Math.fma(Memory.getFloat(factor + 4L * r), Memory.getFloat(first + 4L * (i * rank + r)), sum);
                }
                float changed = Memory.getFloat(at) + sum;
                Memory.setFloat(at, lora.hasGain() ? changed * Memory.getFloat(gains + 4L * out) : changed);
            }
        }
    }

    @Override
    public void close() {
        low.close();
    }
}
