package dev.lory.model;

import dev.lory.kernel.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a decoder-only model is made of; tensor names are those of transformers.
 *
 * @param maxPositions tokens of the longest sequence it is made for
 * @param finalNorm path of the norm after the last layer
 * @param embeddingScale what embeddings are multiplied with
 */
public record DecoderSpec(
        int vocab,
        int hidden,
        int layers,
        int maxPositions,
        Norm norm,
        String finalNorm,
        Residual residual,
        Attention attention,
        Mlp mlp,
        float embeddingScale,
        Head head) {

    /** The kinds of norm. */
    public enum NormKind {
        /** Root mean square times the weight. */
        RMS,
        /** Root mean square times 1 + the weight. */
        RMS_UNIT_OFFSET,
        /** Around the mean, with a bias. */
        LAYER
    }

    /** @param eps added to the variance */
    public record Norm(NormKind kind, float eps) {}

    /** How attention and MLP are joined to the stream, with the norms of a layer. */
    public enum Residual {
        /** {@code x += attention(norm(x)); x += mlp(norm(x))}. */
        SEQUENTIAL,
        /** {@code x += attention(norm(x)) + mlp(norm(x))}, with one norm for both (arXiv:2309.05463). */
        PARALLEL,
        /** As sequential, and each result is normed before it is added (arXiv:2408.00118). */
        SANDWICH
    }

    /**
     * A linear of a layer.
     *
     * @param module path below the layer
     * @param outputs widths of its outputs; more than one if several linears are stored as one
     */
    public record Linear(String module, int in, List<Integer> outputs, boolean bias) {
        public Linear {
            outputs = List.copyOf(outputs);
            if (bias && outputs.size() > 1) {
                throw new IllegalArgumentException(module + ": a fused linear with a bias");
            }
        }

        public static Linear of(String module, int in, int out, boolean bias) {
            return new Linear(module, in, List.of(out), bias);
        }

        public static Linear fused(String module, int in, Integer... outputs) {
            return new Linear(module, in, List.of(outputs), false);
        }

        int out() {
            return outputs.stream().mapToInt(Integer::intValue).sum();
        }
    }

    /**
     * The heads of attention.
     *
     * @param normed whether each head of q and k goes through a norm of its own, of the model's kind
     */
    public record Heads(int query, int keyValue, int dim, boolean normed) {
        /** Features of all query heads. */
        public int width() {
            return query * dim;
        }

        /** Features of all key/value heads. */
        public int kvWidth() {
            return keyValue * dim;
        }
    }

    /**
     * Rotary positions.
     *
     * @param dims elements of a head that are rotated, the first ones
     * @param theta base of the frequencies
     */
    public record Rope(int dims, double theta, RopeScaling scaling) {}

    /**
     * What happens to scores.
     *
     * @param scale they are multiplied with
     * @param softCap as in {@link dev.lory.kernel.AttentionShape}
     * @param windows by layer: positions that a query sees, {@link Integer#MAX_VALUE} = all
     */
    public record Scores(float scale, float softCap, List<Integer> windows) {
        public Scores {
            windows = List.copyOf(windows);
        }
    }

    /**
     * @param inputs q, k, v, in one linear or three
     * @param outputFirst whether transformers defines the output before the inputs
     */
    public record Attention(
            Heads heads, Rope rope, Scores scores, List<Linear> inputs, Linear output, boolean outputFirst) {
        public Attention {
            inputs = List.copyOf(inputs);
        }

        /** Features of all key/value heads. */
        public int kvWidth() {
            return heads.kvWidth();
        }

        Stream<Linear> linears() {
            return outputFirst
                    ? Stream.concat(Stream.of(output), inputs.stream())
                    : Stream.concat(inputs.stream(), Stream.of(output));
        }
    }

    /** What follows attention. */
    public sealed interface Mlp {
        /** In the definition order of transformers. */
        Stream<Linear> linears();
    }

    /**
     * {@code down(activation(gate(x)) · up(x))} (arXiv:2002.05202).
     *
     * @param inputs gate and up, in one linear or two
     */
    public record Gated(Activation activation, List<Linear> inputs, Linear down) implements Mlp {
        public Gated {
            inputs = List.copyOf(inputs);
        }

        @Override
        public Stream<Linear> linears() {
            return Stream.concat(inputs.stream(), Stream.of(down));
        }

        int width() {
            return down.in;
        }
    }

    /** {@code down(activation(up(x)))}. */
    public record Plain(Activation activation, Linear up, Linear down) implements Mlp {
        @Override
        public Stream<Linear> linears() {
            return Stream.of(up, down);
        }
    }

    /** Each token goes to the {@code topK} experts that the router prefers (arXiv:2401.04088); an expert is defined gate, down, up. */
    public record Experts(Linear router, int topK, List<Gated> experts) implements Mlp {
        public Experts {
            experts = List.copyOf(experts);
        }

        @Override
        public Stream<Linear> linears() {
            return Stream.concat(
                    Stream.of(router),
                    experts.stream()
                            .flatMap(expert ->
                                    Stream.of(expert.inputs.getFirst(), expert.down, expert.inputs.getLast())));
        }
    }

    /**
     * From hidden states to logits.
     *
     * @param tied the output matrix is the embedding
     * @param softCap logits become {@code softCap · tanh(logit / softCap)}; 0 = they stay
     */
    public record Head(boolean tied, boolean bias, float softCap) {}

    /** Path of the output matrix. */
    static final String HEAD = "lm_head";

    /** Path of the embedding. */
    static final String EMBEDDING = "model.embed_tokens";

    /** The path of everything in a layer: {@code model.layers.3}. */
    static String layerPath(int layer) {
        return "model.layers." + layer;
    }

    /** The same for shorter sequences. */
    public DecoderSpec upTo(int positions) {
        return new DecoderSpec(
                vocab, hidden, layers, positions, norm, finalNorm, residual, attention, mlp, embeddingScale, head);
    }

    /** Every linear of the model, the head last; position in the list = {@link LinearSite#index}. */
    public List<LinearSite> linearSites() {
        List<LinearSite> sites = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            String path = layerPath(layer);
            Stream.concat(attention.linears(), mlp.linears())
                    .forEach(linear -> add(sites, path + "." + linear.module, linear));
        }
        add(sites, HEAD, Linear.of(HEAD, hidden, vocab, head.bias));
        return List.copyOf(sites);
    }

    /** The share of a site's weight that a token is multiplied with, on average: all of it, but of experts only the chosen ones. */
    public double use(LinearSite site) {
        return mlp instanceof Experts experts && site.path().contains(".experts.")
                ? (double) experts.topK / experts.experts.size()
                : 1;
    }

    /** Paths of all linears in definition order, each once. */
    public List<String> linearPaths() {
        return linearSites().stream().map(LinearSite::path).distinct().toList();
    }

    /** The embedding, which PEFT's LoRA may change too; its index follows those of the linears. */
    public LinearSite embeddingSite() {
        return new LinearSite(EMBEDDING, linearSites().size(), new LinearSite.Shape(hidden, vocab), 0, hidden);
    }

    /** The output matrix, which is a linear of its own to adapters also where it is tied. */
    public LinearSite headSite() {
        return linearSites().getLast();
    }

    private static void add(List<LinearSite> sites, String path, Linear linear) {
        int firstRow = 0;
        LinearSite.Shape shape = new LinearSite.Shape(linear.out(), linear.in);
        for (int rows : linear.outputs) {
            sites.add(new LinearSite(path, sites.size(), shape, firstRow, rows));
            firstRow += rows;
        }
    }
}
