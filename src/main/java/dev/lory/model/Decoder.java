package dev.lory.model;

import dev.lory.kernel.Backend;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.StepBatch;
import dev.lory.kernel.Weight;
import dev.lory.tensor.Tensor;
import java.util.List;

/** The only forward pass. Made by {@link DecoderLoader}; one thread. */
public final class Decoder {
    private final DecoderSpec spec;
    private final Backend backend;
    private final Weight embedding;
    private final List<Layer> layers;
    private final Tensor finalNorm;
    private final Weight[] head;
    private final Workspace workspace;
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
            Weight embedding,
            List<Layer> layers,
            Tensor finalNorm,
            Weight head,
            int maxRows,
            int maxLogitRows) {
        this.spec = spec;
        this.backend = backend;
        this.embedding = embedding;
        this.layers = List.copyOf(layers);
        this.finalNorm = finalNorm;
        this.head = new Weight[] {head};
        this.workspace = new Workspace(backend, spec, maxRows);
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

    /**
     * Computes the rows of a step and stores their keys and values.
     *
     * @return hidden states after the final norm, {@code [rows, hidden]}; valid until the next call
     */
    public Tensor hidden(StepBatch batch, KvCache kv, LinearDelta delta) {
        Workspace.Views views = workspace.rows(batch.rows());
        backend.embed(embedding, batch, views.hidden());
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).forward(views, batch, kv, delta);
        }
        backend.rmsNorm(views.hidden(), finalNorm, spec.normEps(), views.normed());
        return views.normed();
    }

    /**
     * @param hidden what {@link #hidden} returned
     * @param rows which rows of it; the first {@code count} entries
     * @return {@code [count, vocab]}; valid until the next call
     */
    public Tensor logits(Tensor hidden, int[] rows, int count) {
        Tensor selected = gathered.rows(count);
        backend.gatherRows(hidden, rows, selected);
        logitsOut[0] = logits.rows(count);
        backend.project(head, selected, logitsOut);
        return logitsOut[0];
    }

    /** Copies one row of {@link #logits} to the heap. */
    public void download(Tensor logits, int row, float[] out) {
        backend.download(logits, row, out);
    }
}
