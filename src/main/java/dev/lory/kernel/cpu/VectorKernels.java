package dev.lory.kernel.cpu;

/** The kernels on the Vector API: what runs where no native ones could be built, or where they are not wanted. */
record VectorKernels(String name) implements KernelSet {
    /** Bytes of scratch memory each thread needs: a panel of weights as floats, then sums. */
    static final long SCRATCH = 64 * 1024;

    static VectorKernels ofThisMachine() {
        return new VectorKernels("vector " + Lanes.F.vectorBitSize() + " bit");
    }

    @Override
    public void quant(PackedWeight w, Quantised x, long y, int g0, int g1, long scratch) {
        int tiled = x.rows < 2 * VectorQuantTile.TOKENS ? 0 : x.rows / VectorQuantTile.TOKENS * VectorQuantTile.TOKENS;
        if (tiled > 0) {
            VectorQuantTile.groups(w, x, y, g0, g1, tiled, scratch);
        }
        for (int t = tiled; t < x.rows; t++) {
            VectorQuantRow.groups(w, x, t, y, g0, g1, scratch);
        }
    }

    @Override
    public void dense(PackedWeight w, Dense job, int g0, int g1, long scratch) {
        VectorDense.groups(w, job, g0, g1, scratch);
    }

    @Override
    public long multiply(int rounds, long room) {
        return VectorPeak.multiply(rounds, room);
    }

    @Override
    public void attention(Attention job, long table, int kvHead, int row0, int row1, long scores, long scratch) {
        VectorAttention.rows(job, table, kvHead, row0, row1, scores, scratch);
    }
}
