package dev.lory.format;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A model as somebody points at it: a Hugging Face folder, a GGUF file, or a folder with exactly one GGUF file. */
public final class ModelSource implements AutoCloseable {
    private final String name;
    private final ModelConfig config;
    private final TensorSource tensors;
    private final @Nullable GgufMetadata gguf;
    private final @Nullable Path tokenizerJson;
    private final Map<String, String> chatTemplates;
    private final Map<String, Object> specialTokens;

    private ModelSource(Path path, Path folder) {
        this.name = fileName(path);
        this.config = ModelConfig.read(folder.resolve("config.json"));
        this.gguf = null;
        Path tokenizer = folder.resolve("tokenizer.json");
        this.tokenizerJson = Files.isRegularFile(tokenizer) ? tokenizer : null;
        TokenizerConfig texts = TokenizerConfig.beside(tokenizer);
        this.chatTemplates = texts.chatTemplates();
        this.specialTokens = texts.specialTokens();
        this.tensors = SafetensorsSource.open(folder);
    }

    private ModelSource(Path path, GgufSource source) {
        this.name = fileName(path).replaceFirst("\\.gguf$", "");
        this.config = source.config();
        this.tensors = source;
        this.gguf = source.metadata();
        this.tokenizerJson = null;
        this.chatTemplates = Map.copyOf(source.chatTemplates());
        this.specialTokens = Map.copyOf(source.specialTokens());
    }

    /**
     * Opens a model.
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} naming the path if there is no model; as
     *     {@link ModelConfig#read}, {@link SafetensorsSource#open} and {@link GgufSource#open} if it is not usable
     */
    public static ModelSource open(Path path) {
        if (Files.isDirectory(path)) {
            if (Files.isRegularFile(path.resolve("config.json")) && SafetensorsSource.isIn(path)) {
                return new ModelSource(path, path);
            }
            return openGguf(path, onlyGguf(path, "config.json with safetensors"));
        }
        if (!Files.exists(path)) {
            throw new ServiceException(ErrorCode.INVALID_CONFIGURATION, "there is no model at " + path);
        }
        if (!path.toString().endsWith(".gguf")) {
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION, path + " is neither a model folder nor a .gguf file");
        }
        return openGguf(path, path);
    }

    /** The folder's name, or the file's without {@code .gguf}. */
    public String name() {
        return name;
    }

    public ModelConfig config() {
        return config;
    }

    /** The weights; they live until this source is closed. */
    public TensorSource tensors() {
        return tensors;
    }

    /** What a GGUF model says about its tokenizer; empty for a Hugging Face folder. */
    public Optional<GgufMetadata> gguf() {
        return Optional.ofNullable(gguf);
    }

    /** {@code tokenizer.json} of a Hugging Face folder, if it has one. */
    public Optional<Path> tokenizerJson() {
        return Optional.ofNullable(tokenizerJson);
    }

    /** The model's Jinja chat templates by name: {@code default}, perhaps {@code tool_use}; see {@link TokenizerConfig}. */
    public Map<String, String> chatTemplates() {
        return chatTemplates;
    }

    /** The special tokens by transformers' names, such as {@code bos_token}: texts, or lists of them. */
    public Map<String, Object> specialTokens() {
        return specialTokens;
    }

    @Override
    public void close() {
        tensors.close();
    }

    private static ModelSource openGguf(Path path, Path file) {
        GgufSource source = GgufSource.open(file);
        try {
            return new ModelSource(path, source);
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /**
     * The one GGUF file of a folder.
     *
     * @param otherwise what might have been there instead, for the message
     * @throws ServiceException {@code INVALID_CONFIGURATION} if there is none or more than one
     */
    public static Path onlyGguf(Path folder, String otherwise) {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.filter(file -> file.toString().endsWith(".gguf"))
                    .sorted()
                    .toList();
            if (found.size() == 1) {
                return found.getFirst();
            }
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION,
                    "the folder " + folder + " holds no " + otherwise + ", and "
                            + (found.isEmpty() ? "no .gguf file" : found.size() + " .gguf files: name one of them"));
        } catch (IOException e) {
            throw new ServiceException(ErrorCode.INVALID_CONFIGURATION, "cannot list " + folder + ": " + e, e);
        }
    }

    private static String fileName(Path path) {
        return String.valueOf(path.toAbsolutePath().normalize().getFileName());
    }
}
