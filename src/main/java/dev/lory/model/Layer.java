package dev.lory.model;

import dev.lory.kernel.AttentionShape;
import dev.lory.kernel.Backend;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.StepBatch;
import dev.lory.tensor.Tensor;

/** One decoder block: attention, then MLP, each after a norm and added to what came in. */
final class Layer {
    /** Rotary tables {@code [positions, headDim / 2]}. */
    record Rope(Tensor cos, Tensor sin) {}

    record Weights(
            Tensor attentionNorm,
            Projections qkv,
            Projections output,
            Tensor mlpNorm,
            Projections gateUp,
            Projections down) {}

    private final Backend backend;
    private final DecoderSpec spec;
    private final int index;
    private final Weights weights;
    private final Rope rope;
    private final AttentionShape shape;

    Layer(Backend backend, DecoderSpec spec, int index, Weights weights, Rope rope) {
        this.backend = backend;
        this.spec = spec;
        this.index = index;
        this.weights = weights;
        this.rope = rope;
        DecoderSpec.Attention attention = spec.attention();
        this.shape = AttentionShape.full(attention.heads(), attention.kvHeads(), attention.headDim(), (float)
                (1 / Math.sqrt(attention.headDim())));
    }

    /** Computes the rows in the workspace's hidden state, in place. */
    void forward(Workspace.Views w, StepBatch batch, KvCache kv, LinearDelta delta) {
        backend.rmsNorm(w.hidden(), weights.attentionNorm, spec.normEps(), w.normed());
        weights.qkv.forward(w.normed(), w.qkv(), delta, batch.adapters());
        backend.rope(w.q(), shape.headDim(), rope.cos, rope.sin, batch);
        backend.rope(w.k(), shape.headDim(), rope.cos, rope.sin, batch);
        backend.storeKv(w.k(), w.v(), kv, index, batch);
        backend.attention(w.q(), kv, index, shape, batch, w.attended());
        weights.output.forward(w.attended(), w.projected(), delta, batch.adapters());
        backend.add(w.projected()[0], w.hidden());

        backend.rmsNorm(w.hidden(), weights.mlpNorm, spec.normEps(), w.normed());
        weights.gateUp.forward(w.normed(), w.gateUp(), delta, batch.adapters());
        backend.gate(spec.mlp().activation(), w.gate(), w.up(), w.gate());
        weights.down.forward(w.gate(), w.projected(), delta, batch.adapters());
        backend.add(w.projected()[0], w.hidden());
    }
}
