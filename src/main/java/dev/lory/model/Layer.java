package dev.lory.model;

import dev.lory.kernel.Backend;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.StepBatch;
import dev.lory.tensor.Tensor;

/** One decoder block: attention and MLP, joined to the stream of hidden states. */
sealed interface Layer {
    /** Computes the rows of the step in the workspace's hidden states, in place. */
    void forward(StepBatch batch, KvCache kv, LinearDelta delta);

    /** Attention, then MLP, each after a norm and, in a sandwich, before another. */
    record Sequential(
            Backend backend,
            Workspace workspace,
            NormBlock beforeAttention,
            AttentionBlock attention,
            NormBlock afterAttention,
            NormBlock beforeMlp,
            MlpBlock mlp,
            NormBlock afterMlp)
            implements Layer {
        @Override
        public void forward(StepBatch batch, KvCache kv, LinearDelta delta) {
            Tensor hidden = workspace.hidden.rows(batch.rows());
            Tensor normed = workspace.normed.rows(batch.rows());
            Tensor output = workspace.output.rows(batch.rows());
            beforeAttention.apply(hidden, normed);
            attention.forward(normed, output, batch, kv, delta);
            afterAttention.apply(output, output);
            backend.add(output, hidden);

            beforeMlp.apply(hidden, normed);
            mlp.forward(normed, output, delta, batch.adapters());
            afterMlp.apply(output, output);
            backend.add(output, hidden);
        }
    }

    /** Attention and MLP of the same normed states. */
    record Parallel(Backend backend, Workspace workspace, NormBlock norm, AttentionBlock attention, MlpBlock mlp)
            implements Layer {
        @Override
        public void forward(StepBatch batch, KvCache kv, LinearDelta delta) {
            Tensor hidden = workspace.hidden.rows(batch.rows());
            Tensor normed = workspace.normed.rows(batch.rows());
            Tensor output = workspace.output.rows(batch.rows());
            norm.apply(hidden, normed);
            attention.forward(normed, output, batch, kv, delta);
            backend.add(output, hidden);
            mlp.forward(normed, output, delta, batch.adapters());
            backend.add(output, hidden);
        }
    }
}
