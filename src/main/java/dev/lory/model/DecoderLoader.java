package dev.lory.model;

import static dev.lory.error.ErrorCode.INVALID_MODEL;

import dev.lory.error.ServiceException;
import dev.lory.format.TensorInfo;
import dev.lory.format.TensorSource;
import dev.lory.kernel.AttentionShape;
import dev.lory.kernel.Backend;
import dev.lory.kernel.RowGroups;
import dev.lory.kernel.Weight;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Reads a decoder's tensors, checks them against the spec, and makes blocks of them: every choice of the spec is made here, once. */
public final class DecoderLoader {
    /** What transformers puts before every name but the head's; a checkpoint of the bare model is without. */
    private static final String PREFIX = "model.";

    private final DecoderSpec spec;
    private final TensorSource source;
    private final Backend backend;
    private final int maxRows;
    private final Workspace workspace;
    private final Rotary rotary;
    private final Map<String, List<LinearSite>> sites = new LinkedHashMap<>();
    private final Set<String> used = new HashSet<>();
    private final LoadedSites loaded = new LoadedSites();

    private DecoderLoader(DecoderSpec spec, TensorSource source, Backend backend, int maxRows) {
        this.spec = spec;
        this.source = source;
        this.backend = backend;
        this.maxRows = maxRows;
        String last = DecoderSpec.layerPath(spec.layers() - 1) + "."
                + spec.attention().output().module() + ".weight";
        source.info(stored(last)); // so that there are not many more layers, and sites, than tensors
        for (LinearSite site : spec.linearSites()) {
            sites.computeIfAbsent(site.path(), path -> new ArrayList<>()).add(site);
        }
        requireShapes();
        workspace = new Workspace(backend, spec, maxRows);
        rotary = new Rotary(backend, spec, maxRows);
    }

    /** Before anything is allocated that is as large as the configuration says. */
    private void requireShapes() {
        sites.forEach((path, outputs) -> {
            if (!path.equals(DecoderSpec.HEAD)) {
                LinearSite.Shape shape = outputs.getFirst().shape();
                require(stored(path + ".weight"), shape.out(), shape.in());
            }
        });
        String embedding = stored(DecoderSpec.EMBEDDING + ".weight");
        boolean underHead = spec.head().tied() && !source.names().contains(embedding);
        require(underHead ? DecoderSpec.HEAD + ".weight" : embedding, spec.vocab(), spec.hidden());
    }

    /**
     * @param source may be closed afterwards
     * @param maxRows of a step
     * @param maxLogitRows of one call of {@link Decoder#logits}
     * @throws ServiceException {@code INVALID_MODEL} naming a tensor that is missing, has another shape, or has no place in such a model;
     *     {@code UNSUPPORTED_DTYPE}
     */
    public static Decoder load(DecoderSpec spec, TensorSource source, Backend backend, int maxRows, int maxLogitRows) {
        return new DecoderLoader(spec, source, backend, maxRows).load(maxLogitRows);
    }

    private Decoder load(int maxLogitRows) {
        Decoder.Ends ends = ends();
        MlpLoader mlps = mlps();
        List<Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            layers.add(layer(layer, mlps));
        }
        for (String name : source.names()) {
            if (!used.contains(name)) {
                throw new ServiceException(
                        INVALID_MODEL,
                        source + ": tensor " + name + " has no place in the model that the configuration describes");
            }
        }
        return new Decoder(spec, backend, workspace, rotary, ends, layers, loaded, maxRows, maxLogitRows);
    }

    private Decoder.Ends ends() {
        DecoderSpec.Head head = spec.head();
        String headPath = DecoderSpec.HEAD;
        Weight embedding = head.tied()
                ? tied(DecoderSpec.EMBEDDING + ".weight", headPath + ".weight")
                : table(DecoderSpec.EMBEDDING + ".weight");
        Weight out = head.tied() ? embedding : table(headPath + ".weight");
        loaded.put(spec.embeddingSite(), embedding);
        loaded.put(spec.headSite(), out);
        return new Decoder.Ends(
                embedding,
                spec.embeddingScale() == 1 ? Decoder.Change.NONE : y -> backend.scale(spec.embeddingScale(), y),
                norm(spec.finalNorm(), spec.norm(), spec.hidden()),
                new Projections(
                        backend,
                        sites(headPath),
                        new Weight[] {out},
                        head.bias() ? new Tensor[] {bias(spec.headSite())} : new Tensor[0]),
                head.softCap() == 0 ? Decoder.Change.NONE : y -> backend.softCap(head.softCap(), y));
    }

    private Weight table(String name) {
        return read(name, spec.vocab(), spec.hidden(), backend::load);
    }

    /** One matrix, which may be stored under either name, or under both if that is the same. */
    private Weight tied(String embedding, String head) {
        if (!source.names().contains(head)) {
            return table(embedding);
        }
        if (!source.names().contains(stored(embedding))) {
            return table(head);
        }
        return read(
                head,
                spec.vocab(),
                spec.hidden(),
                copy -> read(embedding, spec.vocab(), spec.hidden(), table -> {
                    if (table.storage().mismatch(copy.storage()) != -1) {
                        throw new ServiceException(
                                INVALID_MODEL,
                                source + ": tie_word_embeddings is true but " + head + " differs from "
                                        + stored(embedding)
                                        + ", and releases of transformers disagree which of them counts");
                    }
                    return backend.load(table);
                }));
    }

    private Layer layer(int layer, MlpLoader mlps) {
        String path = DecoderSpec.layerPath(layer) + ".";
        AttentionBlock attention = attention(layer, path);
        MlpBlock mlp = mlps.load(path);
        NormBlock first = norm(path + "input_layernorm", spec.norm(), spec.hidden());
        return switch (spec.residual()) {
            case PARALLEL -> new Layer.Parallel(backend, workspace, first, attention, mlp);
            case SEQUENTIAL ->
                new Layer.Sequential(
                        backend,
                        workspace,
                        first,
                        attention,
                        NormBlock.NONE,
                        norm(path + "post_attention_layernorm", spec.norm(), spec.hidden()),
                        mlp,
                        NormBlock.NONE);
            case SANDWICH ->
                new Layer.Sequential(
                        backend,
                        workspace,
                        first,
                        attention,
                        norm(path + "post_attention_layernorm", spec.norm(), spec.hidden()),
                        norm(path + "pre_feedforward_layernorm", spec.norm(), spec.hidden()),
                        mlp,
                        norm(path + "post_feedforward_layernorm", spec.norm(), spec.hidden()));
        };
    }

    private AttentionBlock attention(int layer, String path) {
        DecoderSpec.Attention attention = spec.attention();
        DecoderSpec.Heads heads = attention.heads();
        DecoderSpec.Scores scores = attention.scores();
        String norm = spec.norm().kind() == DecoderSpec.NormKind.LAYER ? "_layernorm" : "_norm";
        List<AttentionBlock.HeadNorm> headNorms = !heads.normed()
                ? List.of()
                : List.of(
                        new AttentionBlock.HeadNorm(
                                norm(path + "self_attn.q" + norm, spec.norm(), heads.dim()),
                                workspace.query.cut(heads.dim()),
                                heads.query()),
                        new AttentionBlock.HeadNorm(
                                norm(path + "self_attn.k" + norm, spec.norm(), heads.dim()),
                                workspace.key.cut(heads.dim()),
                                heads.keyValue()));
        return new AttentionBlock(
                backend,
                workspace,
                layer,
                new AttentionShape(
                        heads.query(),
                        heads.keyValue(),
                        heads.dim(),
                        scores.scale(),
                        scores.softCap(),
                        scores.windows().get(layer)),
                rotary,
                projections(path, attention.inputs()),
                headNorms,
                projections(path, List.of(attention.output())));
    }

    /** Makes the MLP of a layer; what the layers share was made before. */
    @FunctionalInterface
    private interface MlpLoader {
        MlpBlock load(String path);
    }

    private MlpLoader mlps() {
        return switch (spec.mlp()) {
            case DecoderSpec.Gated gated -> gated(gated);
            case DecoderSpec.Plain plain -> {
                Activations inner = buffer(plain.down().in());
                yield path -> new MlpBlock.Plain(
                        backend,
                        plain.activation(),
                        projections(path, List.of(plain.up())),
                        projections(path, List.of(plain.down())),
                        inner);
            }
            case DecoderSpec.Experts experts -> experts(experts);
        };
    }

    private MlpLoader gated(DecoderSpec.Gated shape) {
        Activations gate = buffer(shape.width());
        Activations up = buffer(shape.width());
        return path -> gated(path, shape, gate, up);
    }

    private MlpBlock gated(String path, DecoderSpec.Gated gated, Activations gate, Activations up) {
        return new MlpBlock.Gated(
                backend,
                gated.activation(),
                projections(path, gated.inputs()),
                projections(path, List.of(gated.down())),
                gate,
                up);
    }

    private MlpLoader experts(DecoderSpec.Experts experts) {
        int width = experts.experts().getFirst().width();
        Activations gate = buffer(width);
        Activations up = buffer(width);
        MlpBlock.Experts.Buffers buffers = new MlpBlock.Experts.Buffers(
                buffer(experts.router().out()),
                buffer(spec.hidden()),
                buffer(spec.hidden()),
                new RowGroups(),
                new Selection(maxRows));
        return path -> new MlpBlock.Experts(
                backend,
                projections(path, List.of(experts.router())),
                experts.topK(),
                experts.experts().stream()
                        .map(expert -> gated(path, expert, gate, up))
                        .toList(),
                buffers);
    }

    private Activations buffer(int cols) {
        return new Activations(backend, maxRows, cols);
    }

    /** Linears that read the same input; a fused one is loaded in slices, each an output of its own. */
    private Projections projections(String path, List<DecoderSpec.Linear> linears) {
        List<LinearSite> outputs = new ArrayList<>();
        List<Weight> weights = new ArrayList<>();
        List<Tensor> biases = new ArrayList<>();
        for (DecoderSpec.Linear linear : linears) {
            String module = path + linear.module();
            List<LinearSite> parts = sites(module);
            outputs.addAll(parts);
            weights.addAll(read(
                    module + ".weight",
                    linear.out(),
                    linear.in(),
                    whole -> parts.stream().map(part -> load(part, whole)).toList()));
            if (linear.bias()) {
                biases.add(bias(parts.getFirst()));
            }
        }
        return new Projections(backend, outputs, weights.toArray(Weight[]::new), biases.toArray(Tensor[]::new));
    }

    private List<LinearSite> sites(String path) {
        List<LinearSite> found = sites.get(path);
        if (found == null) {
            throw new IllegalStateException(path);
        }
        return found;
    }

    private Weight load(LinearSite site, Tensor whole) {
        Weight weight = backend.load(whole.slice(site.firstRow(), site.rows()));
        loaded.put(site, weight);
        return weight;
    }

    private Tensor bias(LinearSite site) {
        return read(site.path() + ".bias", 1, site.rows(), bias -> {
            loaded.putBias(site, bias.row(0));
            return backend.upload(bias);
        });
    }

    private Tensor bias(String path, int width) {
        return read(path + ".bias", 1, width, backend::upload);
    }

    private NormBlock norm(String path, DecoderSpec.Norm norm, int width) {
        String name = path + ".weight";
        float eps = norm.eps();
        return switch (norm.kind()) {
            case RMS -> rms(read(name, 1, width, backend::upload), eps);
            case RMS_UNIT_OFFSET -> rms(read(name, 1, width, this::onePlus), eps);
            case LAYER -> {
                Tensor scale = read(name, 1, width, backend::upload);
                Tensor bias = bias(path, width);
                yield (x, y) -> backend.layerNorm(x, scale, bias, eps, y);
            }
        };
    }

    private NormBlock rms(Tensor weight, float eps) {
        return (x, y) -> backend.rmsNorm(x, weight, eps, y);
    }

    private Tensor onePlus(Tensor weight) {
        try (Arena arena = Arena.ofConfined()) {
            float[] values = weight.row(0);
            Tensor sum = Tensor.allocate(arena, DType.F32, 1, values.length);
            for (int i = 0; i < values.length; i++) {
                sum.set(0, i, 1 + values[i]);
            }
            return backend.upload(sum);
        }
    }

    /** Hands a tensor of the source over, which must have this shape, and gives back at once what had to be copied for it. */
    private <T> T read(String wanted, int rows, int cols, Function<Tensor, T> load) {
        String name = stored(wanted);
        used.add(name);
        require(name, rows, cols);
        try (Arena copies = Arena.ofShared()) {
            return load.apply(source.tensor(name, copies));
        }
    }

    private void require(String name, int rows, int cols) {
        TensorInfo info = source.info(name);
        if (info.rows() != rows || info.cols() != cols) {
            throw new ServiceException(
                    INVALID_MODEL,
                    source + ": tensor " + name + " has shape [" + info.rows() + ", " + info.cols()
                            + "] where the configuration wants [" + rows + ", " + cols + "]");
        }
    }

    private String stored(String name) {
        boolean bare = name.startsWith(PREFIX) && !source.names().contains(name);
        String without = bare ? name.substring(PREFIX.length()) : name;
        return source.names().contains(without) ? without : name;
    }
}
