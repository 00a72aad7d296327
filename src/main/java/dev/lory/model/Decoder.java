package dev.lory.model;

import dev.lory.kernel.Backend;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.StepBatch;
import dev.lory.kernel.Weight;
import dev.lory.tensor.Tensor;
import java.util.List;

/** The only forward pass. Made by {@link DecoderLoader}; one thread. */
public final class Decoder {
    /** A change of a matrix in place. */
    @FunctionalInterface
    interface Change {
        Change NONE = y -> {};

        void apply(Tensor y);
    }

    /**
     * From tokens to the stream and from the stream to logits.
     *
     * @param scale of the embeddings
     * @param cap of the logits
     */
    record Ends(Weight embedding, Change scale, NormBlock finalNorm, Projections head, Change cap) {}

    private final DecoderSpec spec;
    private final Backend backend;
    private final Workspace workspace;
    private final Rotary rotary;
    private final Ends ends;
    private final LinearSite embeddingSite;
    private final List<Layer> layers;
    private final Selection selection;
    private final Activations gathered;
    private final Activations logits;
    private final Tensor[] logitsOut = new Tensor[1];
    private final int maxLogitRows;

    /**
     * @param maxRows of a step
     * @param maxLogitRows of one call of {@link #logits}
     */
    Decoder(
            DecoderSpec spec,
            Backend backend,
            Workspace workspace,
            Rotary rotary,
            Ends ends,
            List<Layer> layers,
            int maxRows,
            int maxLogitRows) {
        this.spec = spec;
        this.backend = backend;
        this.workspace = workspace;
        this.rotary = rotary;
        this.ends = ends;
        this.embeddingSite = spec.embeddingSite();
        this.layers = List.copyOf(layers);
        this.selection = new Selection(maxRows);
        this.gathered = new Activations(backend, maxLogitRows, spec.hidden());
        this.logits = new Activations(backend, maxLogitRows, spec.vocab());
        this.maxLogitRows = maxLogitRows;
    }

    public DecoderSpec spec() {
        return spec;
    }

    /** Rows that one call of {@link #logits} takes at most. */
    public int maxLogitRows() {
        return maxLogitRows;
    }

    /** Room for the keys and values of {@code blocks · blockSize} positions. */
    public KvCache allocateKv(int blocks, int blockSize) {
        return backend.allocateKv(
                spec.layers(), blocks, blockSize, spec.attention().kvWidth());
    }

    /** Which rotary angles a sequence of that many tokens needs; its keys and values are of use for those only. */
    public int rotation(int length) {
        return spec.attention().rope().scaling().rotation(length);
    }

    /**
     * Computes the rows of a step and stores their keys and values.
     *
     * @return hidden states after the final norm, {@code [rows, hidden]}; valid until the next call
     */
    public Tensor hidden(StepBatch batch, KvCache kv, LinearDelta delta) {
        rotary.prepare(batch);
        Tensor hidden = workspace.hidden.rows(batch.rows());
        backend.embed(ends.embedding, batch, hidden);
        if (!batch.adapters().isEmpty()) {
            delta.embed(embeddingSite, batch, hidden);
        }
        ends.scale.apply(hidden);
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).forward(batch, kv, delta);
        }
        Tensor normed = workspace.normed.rows(batch.rows());
        ends.finalNorm.apply(hidden, normed);
        return normed;
    }

    /**
     * @param hidden what {@link #hidden} returned for {@code batch}
     * @param rows which rows of it, rising; the first {@code count} entries
     * @return {@code [count, vocab]}; valid until the next call
     */
    public Tensor logits(Tensor hidden, StepBatch batch, LinearDelta delta, int[] rows, int count) {
        Tensor selected = gathered.rows(count);
        backend.gatherRows(hidden, rows, selected);
        logitsOut[0] = logits.rows(count);
        ends.head.forward(selected, logitsOut, delta, selection.of(batch.adapters(), rows, count));
        ends.cap.apply(logitsOut[0]);
        return logitsOut[0];
    }

    /** Copies one row of {@link #logits} to the heap. */
    public void download(Tensor logits, int row, float[] out) {
        backend.download(logits, row, out);
    }
}
