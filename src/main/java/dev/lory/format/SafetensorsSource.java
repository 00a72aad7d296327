package dev.lory.format;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Safetensors, in one file or in shards that {@code model.safetensors.index.json} lists, but for buffers that are no weights. Safe for
 * several threads.
 */
public final class SafetensorsSource implements TensorSource {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    /** What old checkpoints hold besides weights: rotary tables and attention masks, which the configuration says anyway. */
    private static final Pattern BUFFER = Pattern.compile(".*\\.(rotary_emb\\.[a-z_]+|self_attn\\.(masked_)?bias)");

    private final Path path;
    private final Arena arena;
    private final Map<String, SafetensorsHeader> byName = new LinkedHashMap<>();

    private SafetensorsSource(Path path, Arena arena) {
        this.path = path;
        this.arena = arena;
    }

    /**
     * Maps the tensors of a file, or of a folder with {@value #SINGLE} or {@value #INDEX}.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming the file, and the tensor or key, that is wrong
     */
    public static SafetensorsSource open(Path fileOrFolder) {
        SafetensorsSource source = new SafetensorsSource(fileOrFolder, MappedFile.arena());
        try {
            source.load();
            return source;
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /** Whether {@link #open} finds files to read in this folder. */
    static boolean isIn(Path folder) {
        return Files.isRegularFile(folder.resolve(SINGLE)) || Files.isRegularFile(folder.resolve(INDEX));
    }

    private void load() {
        if (!Files.isDirectory(path)) {
            addAll(new SafetensorsHeader(MappedFile.map(path, arena)));
        } else if (Files.isRegularFile(path.resolve(SINGLE))) {
            addAll(new SafetensorsHeader(MappedFile.map(path.resolve(SINGLE), arena)));
        } else if (Files.isRegularFile(path.resolve(INDEX))) {
            addShards(JsonFile.read(path.resolve(INDEX)));
        } else {
            throw MappedFile.invalid(path, "holds neither " + SINGLE + " nor " + INDEX);
        }
    }

    private void addAll(SafetensorsHeader header) {
        header.names().forEach(name -> add(name, header));
    }

    private void addShards(JsonFile index) {
        JsonFile weights =
                index.object("weight_map").orElseThrow(() -> MappedFile.invalid(index.path(), "has no weight_map"));
        Map<String, SafetensorsHeader> shards = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : weights.root().properties()) {
            String tensor = entry.getKey();
            String shard = weights.text(tensor).orElse("");
            if (shard.isEmpty() || shard.contains("/") || shard.contains("\\") || shard.equals("..")) {
                throw weights.wrong(tensor, entry.getValue(), "the name of a file beside the index");
            }
            SafetensorsHeader header = shards.computeIfAbsent(shard, name -> shard(index.path(), name));
            if (!header.has(tensor)) {
                throw MappedFile.invalid(index.path(), "says that " + shard + " has " + tensor + ", but it has not");
            }
            add(tensor, header);
        }
        shards.forEach((shard, header) -> header.names().forEach(tensor -> {
            if (!BUFFER.matcher(tensor).matches() && byName.get(tensor) != header) {
                throw MappedFile.invalid(
                        path.resolve(shard),
                        "has the tensor " + tensor + ", which " + INDEX + " says is "
                                + (has(tensor) ? "in another file" : "in none"));
            }
        }));
    }

    private void add(String name, SafetensorsHeader header) {
        if (!BUFFER.matcher(name).matches()) {
            byName.put(name, header);
        }
    }

    private SafetensorsHeader shard(Path index, String name) {
        Path file = path.resolve(name);
        if (!Files.isRegularFile(file)) {
            throw MappedFile.invalid(index, "names the shard " + name + ", which is not there");
        }
        return new SafetensorsHeader(MappedFile.map(file, arena));
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(byName.keySet());
    }

    @Override
    public TensorInfo info(String name) {
        return header(name).info(name);
    }

    @Override
    public Tensor tensor(String name, Arena unused) {
        return tensor(name);
    }

    /** As {@link #tensor(String, Arena)}: tensors are stored in Hugging Face layout, so that none is copied. */
    public Tensor tensor(String name) {
        return header(name).tensor(name);
    }

    private SafetensorsHeader header(String name) {
        SafetensorsHeader header = byName.get(name);
        if (header == null) {
            throw MappedFile.invalid(path, "has no tensor " + name);
        }
        return header;
    }

    @Override
    public String toString() {
        return path.toString();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
