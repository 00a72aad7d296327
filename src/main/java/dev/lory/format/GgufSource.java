package dev.lory.format;

import dev.lory.error.ServiceException;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A GGUF model seen with Hugging Face names and layout. Tensors lie in the mapped file, except those that the converter
 * changed otherwise than by stacking. Safe for several threads.
 */
public final class GgufSource implements TensorSource {
    /** Transformers' names and GGUF's, one of them misspelled there. */
    private static final Map<String, String> TOKENS = Map.of(
            "bos_token", "bos_token_id",
            "eos_token", "eos_token_id",
            "unk_token", "unknown_token_id",
            "sep_token", "seperator_token_id",
            "pad_token", "padding_token_id",
            "cls_token", "cls_token_id",
            "mask_token", "mask_token_id");

    private final Arena arena;
    private final GgufFile file;
    private final GgufArchitecture architecture;
    private final GgufTensors tensors;

    private GgufSource(Path path, Arena arena) {
        this.arena = arena;
        this.file = new GgufFile(path, arena);
        checkWhole();
        this.architecture = GgufArchitecture.of(metadata());
        this.tensors = new GgufTensors(file, architecture);
    }

    /**
     * Maps and checks a model.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming the file, and the key or tensor, that is wrong or not
     *     supported; {@code UNSUPPORTED_DTYPE} if a tensor is of a type not known here
     */
    public static GgufSource open(Path path) {
        Arena arena = MappedFile.arena();
        try {
            return new GgufSource(path, arena);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private void checkWhole() {
        metadata().string("general.type").filter(type -> !type.equals("model")).ifPresent(type -> {
            throw MappedFile.invalid(file.path(), "general.type is " + type + "; wanted is a model");
        });
        int parts = metadata().integer("split.count").orElse(1);
        if (parts > 1) {
            throw MappedFile.invalid(
                    file.path(),
                    "is one of " + parts + " parts of a model; llama.cpp's llama-gguf-split --merge makes one file");
        }
    }

    /**
     * What {@code config.json} would say.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming file and key that are missing, wrong, or not understood
     */
    public ModelConfig config() {
        return ModelConfig.of(file.path(), GgufConfig.of(file, architecture, tensors));
    }

    /** The key-value pairs, which outlive the source. */
    public GgufMetadata metadata() {
        return file.metadata();
    }

    /** The Jinja chat templates stored in the file; the one without a name is {@code default}. */
    public Map<String, String> chatTemplates() {
        String key = "tokenizer.chat_template";
        Map<String, String> templates = new LinkedHashMap<>();
        metadata().string(key).ifPresent(template -> templates.put("default", template));
        for (String name : metadata().strings("tokenizer.chat_templates").orElse(List.of("tool_use"))) {
            metadata().string(key + "." + name).ifPresent(template -> templates.put(name, template));
        }
        return templates;
    }

    /** The special tokens by transformers' names, such as {@code bos_token}. */
    public Map<String, Object> specialTokens() {
        List<String> texts = metadata().strings("tokenizer.ggml.tokens").orElse(List.of());
        Map<String, Object> tokens = new LinkedHashMap<>();
        TOKENS.forEach((name, key) -> metadata()
                .integer("tokenizer.ggml." + key)
                .filter(id -> id < texts.size())
                .ifPresent(id -> tokens.put(name, texts.get(id))));
        return tokens;
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.places().keySet());
    }

    @Override
    public TensorInfo info(String name) {
        GgufTensors.Place place = place(name);
        TensorInfo stored = file.info(place.ggufName()).orElseThrow();
        return name.endsWith(".bias")
                ? new TensorInfo(stored.dtype(), 1, place.count())
                : new TensorInfo(
                        place.change() == GgufArchitecture.Change.PLUS_ONE ? DType.F32 : stored.dtype(),
                        place.count(),
                        stored.cols());
    }

    @Override
    public Tensor tensor(String name, Arena copies) {
        GgufTensors.Place place = place(name);
        TensorInfo info = info(name);
        Tensor stored = file.tensor(place.ggufName()).orElseThrow();
        return switch (place.change()) {
            case SAME -> stored;
            case INTERLEAVED -> halves(stored, Tensor.allocate(copies, info.dtype(), info.rows(), info.cols()));
            case PLUS_ONE -> minusOne(stored, Tensor.allocate(copies, info.dtype(), info.rows(), info.cols()));
            case STACKED, FUSED -> {
                long unit = stored.bytes() / (name.endsWith(".bias") ? stored.cols() : stored.rows());
                yield new Tensor(
                        info.dtype(),
                        info.rows(),
                        info.cols(),
                        stored.storage().asSlice(place.from() * unit, place.count() * unit));
            }
        };
    }

    private GgufTensors.Place place(String name) {
        GgufTensors.Place place = tensors.places().get(name);
        if (place == null) {
            throw MappedFile.invalid(file.path(), "has no tensor " + name);
        }
        return place;
    }

    /**
     * Undoes the interleaving of both halves of each head: row {@code 2j + c} of a head goes to {@code c * half + j}.
     * Quantised blocks run along a row, so whole rows move and no number changes. The elements of a bias move likewise.
     */
    private Tensor halves(Tensor stored, Tensor ordered) {
        int count = stored.rows() == 1 ? stored.cols() : stored.rows();
        if (stored.rows() == 1 && stored.dtype().blockLength() != 1) {
            throw MappedFile.invalid(file.path(), "stores a q or k bias as " + stored.dtype());
        }
        long unit = stored.bytes() / count;
        int width = tensors.headDim();
        for (int i = 0; i < count; i++) {
            int j = i % width / 2;
            int c = i % 2;
            long to = i / width * width + (long) c * (width / 2) + j;
            MemorySegment.copy(stored.storage(), i * unit, ordered.storage(), to * unit, unit);
        }
        return ordered;
    }

    private static Tensor minusOne(Tensor stored, Tensor offset) {
        for (int row = 0; row < stored.rows(); row++) {
            float[] values = stored.row(row);
            for (int i = 0; i < values.length; i++) {
                values[i]--;
            }
            offset.encodeRow(row, values);
        }
        return offset;
    }

    @Override
    public String toString() {
        return file.path().toString();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
