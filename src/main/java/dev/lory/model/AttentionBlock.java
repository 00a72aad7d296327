package dev.lory.model;

import dev.lory.kernel.AttentionShape;
import dev.lory.kernel.Backend;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.StepBatch;
import dev.lory.tensor.Tensor;
import java.util.List;

/** Attention of one layer, from normed hidden states to what is added to the stream. */
final class AttentionBlock {
    /**
     * A norm over each head of q or k.
     *
     * @param heads the buffer of q or k, a row for each head
     * @param perRow heads of a row
     */
    record HeadNorm(NormBlock norm, Activations heads, int perRow) {
        void apply(int rows) {
            Tensor view = heads.rows(rows * perRow);
            norm.apply(view, view);
        }
    }

    private final Backend backend;
    private final Workspace workspace;
    private final int layer;
    private final AttentionShape shape;
    private final Rotary rotary;
    private final Projections inputs;
    private final List<HeadNorm> headNorms;
    private final Projections output;
    private final Tensor[] qkv = new Tensor[3];
    private final Tensor[] out = new Tensor[1];

    AttentionBlock(
            Backend backend,
            Workspace workspace,
            int layer,
            AttentionShape shape,
            Rotary rotary,
            Projections inputs,
            List<HeadNorm> headNorms,
            Projections output) {
        this.backend = backend;
        this.workspace = workspace;
        this.layer = layer;
        this.shape = shape;
        this.rotary = rotary;
        this.inputs = inputs;
        this.headNorms = List.copyOf(headNorms);
        this.output = output;
    }

    void forward(Tensor x, Tensor y, StepBatch batch, KvCache kv, LinearDelta delta) {
        int rows = batch.rows();
        Tensor q = workspace.query.rows(rows);
        Tensor k = workspace.key.rows(rows);
        Tensor v = workspace.value.rows(rows);
        Tensor attended = workspace.attended.rows(rows);
        qkv[0] = q;
        qkv[1] = k;
        qkv[2] = v;
        inputs.forward(x, qkv, delta, batch.adapters());
        for (int i = 0; i < headNorms.size(); i++) {
            headNorms.get(i).apply(rows);
        }
        rotary.rotate(q, batch);
        rotary.rotate(k, batch);
        backend.storeKv(k, v, kv, layer, batch);
        backend.attention(q, kv, layer, shape, batch, attended);
        out[0] = y;
        output.forward(attended, out, delta, batch.adapters());
    }
}
