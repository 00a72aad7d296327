package dev.lory.model;

import static dev.lory.error.ErrorCode.INVALID_MODEL;

import dev.lory.error.ServiceException;
import dev.lory.format.TensorInfo;
import dev.lory.format.TensorSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.Weight;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Reads a decoder's tensors, checks their shapes against the spec, and hands them to the backend. */
public final class DecoderLoader {
    private final DecoderSpec spec;
    private final TensorSource source;
    private final Backend backend;

    private DecoderLoader(DecoderSpec spec, TensorSource source, Backend backend) {
        this.spec = spec;
        this.source = source;
        this.backend = backend;
    }

    /**
     * @param source may be closed afterwards
     * @param maxRows of a step
     * @param maxLogitRows of one call of {@link Decoder#logits}
     * @throws ServiceException {@code INVALID_MODEL} naming a tensor that is missing or has another shape,
     *     {@code UNSUPPORTED_DTYPE}
     */
    public static Decoder load(DecoderSpec spec, TensorSource source, Backend backend, int maxRows, int maxLogitRows) {
        return new DecoderLoader(spec, source, backend).load(maxRows, maxLogitRows);
    }

    private Decoder load(int maxRows, int maxLogitRows) {
        Weight embedding = weight("model.embed_tokens", spec.vocab(), spec.hidden());
        Weight head = spec.tiedHead() ? embedding : weight("lm_head", spec.vocab(), spec.hidden());
        Layer.Rope rope = rope();
        List<Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            layers.add(new Layer(backend, spec, layer, weights(layer), rope));
        }
        return new Decoder(spec, backend, embedding, layers, norm("model.norm"), head, maxRows, maxLogitRows);
    }

    private Layer.Weights weights(int layer) {
        String path = DecoderSpec.layerPath(layer);
        List<LinearSite> sites = spec.linearSites(layer);
        return new Layer.Weights(
                norm(path + ".input_layernorm"),
                projections(sites.subList(0, 3)),
                projections(sites.subList(3, 4)),
                norm(path + ".post_attention_layernorm"),
                projections(sites.subList(4, 6)),
                projections(sites.subList(6, 7)));
    }

    private Projections projections(List<LinearSite> sites) {
        Weight[] weights = sites.stream()
                .map(site -> weight(
                        site.path(), spec.shape(site).out(), spec.shape(site).in()))
                .toArray(Weight[]::new);
        return new Projections(backend, sites, weights);
    }

    private Weight weight(String path, int rows, int cols) {
        return read(path, rows, cols, backend::load);
    }

    private Tensor norm(String path) {
        return read(path, 1, spec.hidden(), backend::upload);
    }

    /** Hands a tensor over, and gives back at once what had to be copied for it. */
    private <T> T read(String path, int rows, int cols, Function<Tensor, T> load) {
        String name = path + ".weight";
        TensorInfo info = source.info(name);
        if (info.rows() != rows || info.cols() != cols) {
            throw new ServiceException(
                    INVALID_MODEL,
                    source + ": tensor " + name + " has shape [" + info.rows() + ", " + info.cols()
                            + "] where the configuration wants [" + rows + ", " + cols + "]");
        }
        try (Arena copies = Arena.ofShared()) {
            return load.apply(source.tensor(name, copies));
        }
    }

    /** cos and sin of position · theta^(-2i/d), as transformers computes them: angles in F32. */
    private Layer.Rope rope() {
        int half = spec.attention().headDim() / 2;
        float[] inverse = new float[half];
        for (int i = 0; i < half; i++) {
            inverse[i] = (float) Math.pow(spec.attention().ropeTheta(), -2.0 * i / (2 * half));
        }
        try (Arena arena = Arena.ofConfined()) {
            Tensor cos = Tensor.allocate(arena, DType.F32, spec.maxPositions(), half);
            Tensor sin = Tensor.allocate(arena, DType.F32, spec.maxPositions(), half);
            for (int position = 0; position < spec.maxPositions(); position++) {
                for (int i = 0; i < half; i++) {
                    float angle = position * inverse[i];
                    cos.set(position, i, (float) Math.cos(angle));
                    sin.set(position, i, (float) Math.sin(angle));
                }
            }
            return new Layer.Rope(backend.upload(cos), backend.upload(sin));
        }
    }
}
