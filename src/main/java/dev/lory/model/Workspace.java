package dev.lory.model;

import dev.lory.kernel.Backend;
import dev.lory.tensor.Tensor;

/** The activations of a step, sized once for {@code max_num_batched_tokens} rows. */
final class Workspace {
    /**
     * The buffers at one number of rows. The arrays hold the same tensors as the components beside them, in the form in which
     * {@link Projections} take their outputs.
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared, never changed
    record Views(Tensor hidden, Tensor normed, Tensor[] qkv, Tensor attended, Tensor[] projected, Tensor[] gateUp) {
        Tensor q() {
            return qkv[0];
        }

        Tensor k() {
            return qkv[1];
        }

        Tensor v() {
            return qkv[2];
        }

        Tensor gate() {
            return gateUp[0];
        }

        Tensor up() {
            return gateUp[1];
        }
    }

    private final Views all;
    private final Views[] byRows;

    Workspace(Backend backend, DecoderSpec spec, int maxRows) {
        DecoderSpec.Attention attention = spec.attention();
        int hidden = spec.hidden();
        all = new Views(
                backend.allocate(maxRows, hidden),
                backend.allocate(maxRows, hidden),
                new Tensor[] {
                    backend.allocate(maxRows, attention.width()),
                    backend.allocate(maxRows, attention.kvWidth()),
                    backend.allocate(maxRows, attention.kvWidth())
                },
                backend.allocate(maxRows, attention.width()),
                new Tensor[] {backend.allocate(maxRows, hidden)},
                new Tensor[] {
                    backend.allocate(maxRows, spec.mlp().intermediate()),
                    backend.allocate(maxRows, spec.mlp().intermediate())
                });
        byRows = new Views[maxRows + 1];
    }

    /** The first {@code rows} rows of every buffer; made once for each number, so that a step allocates nothing. */
    Views rows(int rows) {
        Views views = byRows[rows];
        if (views == null) {
            views = new Views(
                    all.hidden.slice(0, rows),
                    all.normed.slice(0, rows),
                    slices(all.qkv, rows),
                    all.attended.slice(0, rows),
                    slices(all.projected, rows),
                    slices(all.gateUp, rows));
            byRows[rows] = views;
        }
        return views;
    }

    private static Tensor[] slices(Tensor[] tensors, int rows) {
        Tensor[] slices = new Tensor[tensors.length];
        for (int i = 0; i < slices.length; i++) {
            slices[i] = tensors[i].slice(0, rows);
        }
        return slices;
    }
}
