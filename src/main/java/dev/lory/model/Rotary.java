package dev.lory.model;

import dev.lory.kernel.Backend;
import dev.lory.kernel.StepBatch;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;

/** The rotary tables on the device, and which of their lines each row of a step is rotated by. */
final class Rotary {
    /** Positions that a table has at most: the angles of those beyond are computed when they are needed. */
    private static final int MAX_TABLED = 1 << 17;

    private final Backend backend;
    private final DecoderSpec.Rope rope;
    private final int headDim;
    private final int positions;
    private final Tensor cos;
    private final Tensor sin;
    private final float[] cosLine;
    private final float[] sinLine;

    /** @param maxRows of a step: lines are left for rows that need angles of their own */
    Rotary(Backend backend, DecoderSpec spec, int maxRows) {
        this.backend = backend;
        rope = spec.attention().rope();
        headDim = spec.attention().heads().dim();
        positions = Math.min(spec.maxPositions(), MAX_TABLED);
        int half = rope.dims() / 2;
        cosLine = new float[half];
        sinLine = new float[half];
        int tables = rope.scaling().tables();
        int lines = tables * positions
                + (spec.maxPositions() > positions || rope.scaling().isOpenEnded() ? maxRows : 0);
        try (Arena arena = Arena.ofConfined()) {
            Tensor hostCos = Tensor.allocate(arena, DType.F32, lines, half);
            Tensor hostSin = Tensor.allocate(arena, DType.F32, lines, half);
            for (int table = 0; table < tables; table++) {
                float[] frequencies = rope.scaling().frequencies(rope.dims(), rope.theta(), table);
                for (int position = 0; position < positions; position++) {
                    angles(frequencies, position);
                    for (int i = 0; i < half; i++) {
                        hostCos.set(table * positions + position, i, cosLine[i]);
                        hostSin.set(table * positions + position, i, sinLine[i]);
                    }
                }
            }
            cos = backend.upload(hostCos);
            sin = backend.upload(hostSin);
        }
    }

    /** Cosines and sines as transformers has them: angles in F32. */
    private void angles(float[] frequencies, int position) {
        for (int i = 0; i < frequencies.length; i++) {
            float angle = position * frequencies[i];
            cosLine[i] = (float) Math.cos(angle) * rope.scaling().magnitude();
            sinLine[i] = (float) Math.sin(angle) * rope.scaling().magnitude();
        }
    }

    /** Names each row's line; before the first {@link #rotate} of a step. */
    void prepare(StepBatch batch) {
        int tables = rope.scaling().tables();
        for (int s = 0; s < batch.sequences(); s++) {
            int rotation = batch.rotation(s);
            if (rotation >= tables || batch.position(batch.start(s + 1) - 1) >= positions) {
                writeLines(batch, s, rope.scaling().frequencies(rope.dims(), rope.theta(), rotation));
            } else if (rotation > 0) {
                for (int row = batch.start(s); row < batch.start(s + 1); row++) {
                    batch.rotateBy(row, rotation * positions + batch.position(row));
                }
            }
        }
    }

    private void writeLines(StepBatch batch, int s, float[] frequencies) {
        for (int row = batch.start(s); row < batch.start(s + 1); row++) {
            int line = rope.scaling().tables() * positions + row;
            angles(frequencies, batch.position(row));
            backend.write(cosLine, cos, line);
            backend.write(sinLine, sin, line);
            batch.rotateBy(row, line);
        }
    }

    /** Rotates every head of {@code x} in place. */
    void rotate(Tensor x, StepBatch batch) {
        backend.rope(x, headDim, cos, sin, batch);
    }
}
