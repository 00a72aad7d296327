package dev.lory.model;

import dev.lory.kernel.Activation;
import java.util.ArrayList;
import java.util.List;

/**
 * What a decoder-only model is made of; tensor names are those of transformers.
 *
 * @param maxPositions tokens the positions were trained for
 * @param tiedHead the output matrix is the embedding
 */
public record DecoderSpec(
        int vocab,
        int hidden,
        int layers,
        int maxPositions,
        float normEps,
        Attention attention,
        Mlp mlp,
        boolean tiedHead) {

    /** @param ropeTheta base of the rotary angles */
    public record Attention(int heads, int kvHeads, int headDim, double ropeTheta) {
        /** Features of all query heads. */
        public int width() {
            return heads * headDim;
        }

        /** Features of all key/value heads. */
        public int kvWidth() {
            return kvHeads * headDim;
        }
    }

    /** Gated: {@code down(activation(gate(x)) · up(x))}. */
    public record Mlp(int intermediate, Activation activation) {}

    private static final List<String> MODULES = List.of(
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj");

    /** The path of everything in a layer: {@code model.layers.3}. */
    static String layerPath(int layer) {
        return "model.layers." + layer;
    }

    /** Every linear of one layer, in the definition order of transformers. */
    List<LinearSite> linearSites(int layer) {
        List<LinearSite> sites = new ArrayList<>();
        for (String module : MODULES) {
            sites.add(new LinearSite(layerPath(layer) + "." + module, layer * MODULES.size() + sites.size()));
        }
        return List.copyOf(sites);
    }

    /** Every linear of the model; position in the list = {@link LinearSite#index}. */
    public List<LinearSite> linearSites() {
        List<LinearSite> sites = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            sites.addAll(linearSites(layer));
        }
        return List.copyOf(sites);
    }

    /** Shape {@code [out, in]} of a linear as adapters see it. */
    public Shape shape(LinearSite site) {
        return switch (MODULES.get(site.index() % MODULES.size())) {
            case "self_attn.q_proj" -> new Shape(attention.width(), hidden);
            case "self_attn.k_proj", "self_attn.v_proj" -> new Shape(attention.kvWidth(), hidden);
            case "self_attn.o_proj" -> new Shape(hidden, attention.width());
            case "mlp.gate_proj", "mlp.up_proj" -> new Shape(mlp.intermediate, hidden);
            case "mlp.down_proj" -> new Shape(hidden, mlp.intermediate);
            default -> throw new IllegalStateException(site.path());
        };
    }

    /** Outputs and inputs of a linear. */
    public record Shape(int out, int in) {
        @Override
        public String toString() {
            return "[" + out + ", " + in + "]";
        }
    }
}
