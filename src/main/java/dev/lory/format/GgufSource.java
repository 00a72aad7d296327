package dev.lory.format;

import dev.lory.error.ServiceException;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A GGUF model seen with Hugging Face names and layout. Tensors lie in the mapped file, except those whose rows had to
 * be put back in order: these are copied when first asked for. Safe for several threads.
 */
public final class GgufSource implements TensorSource {
    private final Arena arena;
    private final GgufFile file;
    private final LlamaGguf llama;
    private final Map<String, Tensor> reordered = new ConcurrentHashMap<>();

    private GgufSource(Path path, Arena arena) {
        this.arena = arena;
        this.file = new GgufFile(path, arena);
        String architecture = metadata().required("general.architecture", metadata()::string);
        if (!architecture.equals("llama")) {
            throw MappedFile.invalid(
                    path, "the architecture " + architecture + " is not supported; supported is llama");
        }
        this.llama = new LlamaGguf(file);
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

    public ModelConfig config() {
        return llama.config();
    }

    /** The key-value pairs, which outlive the source. */
    public GgufMetadata metadata() {
        return file.metadata();
    }

    /** The Jinja chat template stored in the file. */
    public Optional<String> chatTemplate() {
        return metadata().string("tokenizer.chat_template");
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(llama.places().keySet());
    }

    @Override
    public Tensor tensor(String name) {
        LlamaGguf.Place place = llama.places().get(name);
        if (place == null) {
            throw MappedFile.invalid(file.path(), "has no tensor " + name);
        }
        Tensor stored = file.tensor(place.ggufName()).orElseThrow();
        return place.heads() == 0 ? stored : reordered.computeIfAbsent(name, unused -> halves(stored, place.heads()));
    }

    /**
     * Undoes the interleaving of both halves of each head: row {@code 2j + c} of a head goes to {@code c * half + j}.
     * Quantised blocks run along a row, so whole rows move and no number changes. The elements of a bias move likewise.
     */
    private Tensor halves(Tensor stored, int heads) {
        boolean bias = stored.rows() == 1;
        if (bias && stored.dtype().blockLength() != 1) {
            throw MappedFile.invalid(file.path(), "stores a q or k bias as " + stored.dtype());
        }
        Tensor ordered = Tensor.allocate(arena, stored.dtype(), stored.rows(), stored.cols());
        long unit = bias ? stored.dtype().blockBytes() : stored.rowBytes();
        int half = (bias ? stored.cols() : stored.rows()) / heads / 2;
        for (int head = 0; head < heads; head++) {
            for (int j = 0; j < half; j++) {
                for (int c = 0; c < 2; c++) {
                    long from = 2L * (head * half + j) + c;
                    long to = 2L * head * half + (long) c * half + j;
                    MemorySegment.copy(stored.storage(), from * unit, ordered.storage(), to * unit, unit);
                }
            }
        }
        return ordered;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
