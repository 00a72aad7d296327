package dev.lory.model;

import dev.lory.kernel.Backend;

/** The activations of a step that all layers share, sized once for {@code max_num_batched_tokens} rows. */
final class Workspace {
    final Activations hidden;
    final Activations normed;
    final Activations query;
    final Activations key;
    final Activations value;
    final Activations attended;
    /** What attention or MLP gives, before it is added to the stream. */
    final Activations output;

    Workspace(Backend backend, DecoderSpec spec, int maxRows) {
        DecoderSpec.Heads heads = spec.attention().heads();
        hidden = new Activations(backend, maxRows, spec.hidden());
        normed = new Activations(backend, maxRows, spec.hidden());
        query = new Activations(backend, maxRows, heads.width());
        key = new Activations(backend, maxRows, heads.kvWidth());
        value = new Activations(backend, maxRows, heads.kvWidth());
        attended = new Activations(backend, maxRows, heads.width());
        output = new Activations(backend, maxRows, spec.hidden());
    }
}
