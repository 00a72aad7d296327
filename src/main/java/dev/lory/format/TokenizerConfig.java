package dev.lory.format;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The files beside {@code tokenizer.json} that say how to use it: {@code tokenizer_config.json}, {@code chat_template.jinja}. */
public final class TokenizerConfig {
    private final @Nullable String bosToken;
    private final @Nullable String eosToken;
    private final @Nullable Boolean addsBos;
    private final @Nullable Boolean addsEos;
    private final @Nullable String chatTemplate;

    private TokenizerConfig(Path folder) {
        Path config = folder.resolve("tokenizer_config.json");
        JsonFile json =
                Files.isRegularFile(config) ? JsonFile.read(config) : JsonFile.parse(config, new byte[] {'{', '}'});
        this.bosToken = token(json, "bos_token").orElse(null);
        this.eosToken = token(json, "eos_token").orElse(null);
        this.addsBos = flag(json, "add_bos_token");
        this.addsEos = flag(json, "add_eos_token");
        Path jinja = folder.resolve("chat_template.jinja");
        this.chatTemplate =
                Files.isRegularFile(jinja) ? read(jinja) : template(json).orElse(null);
    }

    /**
     * The settings in the folder of {@code tokenizerJson}; all empty if it has none.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming file and key
     */
    public static TokenizerConfig beside(Path tokenizerJson) {
        return new TokenizerConfig(tokenizerJson.toAbsolutePath().resolveSibling(""));
    }

    /** Text of the token that begins a text. */
    public Optional<String> bosToken() {
        return Optional.ofNullable(bosToken);
    }

    /** Text of the token that ends a text. */
    public Optional<String> eosToken() {
        return Optional.ofNullable(eosToken);
    }

    /** Whether {@link #bosToken} goes before a text, if the file says so. */
    public Optional<Boolean> addsBos() {
        return Optional.ofNullable(addsBos);
    }

    /** Whether {@link #eosToken} goes after a text, if the file says so. */
    public Optional<Boolean> addsEos() {
        return Optional.ofNullable(addsEos);
    }

    /** The chat template; the one called {@code default} where there are several. */
    public Optional<String> chatTemplate() {
        return Optional.ofNullable(chatTemplate);
    }

    /** A token is its text, or an object with that as {@code content}. */
    private static Optional<String> token(JsonFile json, String key) {
        return json.get(key).filter(JsonNode::isObject).isPresent()
                ? json.object(key).flatMap(token -> token.text("content"))
                : json.text(key);
    }

    private static @Nullable Boolean flag(JsonFile json, String key) {
        return json.get(key).isPresent() ? json.flag(key, false) : null;
    }

    private static Optional<String> template(JsonFile json) {
        Optional<JsonNode> node = json.get("chat_template").filter(JsonNode::isArray);
        if (node.isEmpty()) {
            return json.text("chat_template");
        }
        for (JsonNode named : node.get()) {
            if (named.path("name").asText().equals("default")) {
                return Optional.of(named.path("template").asText());
            }
        }
        throw json.wrong("chat_template", node.get(), "a template, or a list with one called default");
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw MappedFile.invalid(path, "cannot be read: " + e);
        }
    }
}
