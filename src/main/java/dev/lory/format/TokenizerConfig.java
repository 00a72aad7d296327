package dev.lory.format;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files beside {@code tokenizer.json} that say how to use it: {@code tokenizer_config.json}, {@code special_tokens_map.json},
 * {@code chat_template.jinja} and {@code additional_chat_templates}, read as transformers reads them.
 */
public final class TokenizerConfig {
    private static final List<String> TOKENS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");
    private static final String JINJA = ".jinja";

    private final Map<String, Object> specialTokens = new LinkedHashMap<>();
    private final @Nullable Boolean addsBos;
    private final @Nullable Boolean addsEos;
    private final Map<String, String> chatTemplates;

    private TokenizerConfig(Path folder) {
        JsonFile config = json(folder.resolve("tokenizer_config.json"));
        addTokens(config);
        addTokens(json(folder.resolve("special_tokens_map.json")));
        this.addsBos = flag(config, "add_bos_token");
        this.addsEos = flag(config, "add_eos_token");
        Map<String, String> files = templateFiles(folder);
        this.chatTemplates = files.isEmpty() ? templates(config) : files;
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
        return Optional.ofNullable((String) specialTokens.get("bos_token"));
    }

    /** Text of the token that ends a text. */
    public Optional<String> eosToken() {
        return Optional.ofNullable((String) specialTokens.get("eos_token"));
    }

    /** Whether {@link #bosToken} goes before a text, if the file says so. */
    public Optional<Boolean> addsBos() {
        return Optional.ofNullable(addsBos);
    }

    /** Whether {@link #eosToken} goes after a text, if the file says so. */
    public Optional<Boolean> addsEos() {
        return Optional.ofNullable(addsEos);
    }

    /** The special tokens by transformers' names, such as {@code bos_token}: texts; {@code additional_special_tokens} is a list of them. */
    public Map<String, Object> specialTokens() {
        return Collections.unmodifiableMap(specialTokens);
    }

    /** The chat templates by name. A model that has one calls it {@code default}; the one for requests with tools is {@code tool_use}. */
    public Map<String, String> chatTemplates() {
        return Collections.unmodifiableMap(chatTemplates);
    }

    private static JsonFile json(Path file) {
        return Files.isRegularFile(file) ? JsonFile.read(file) : JsonFile.parse(file, new byte[] {'{', '}'});
    }

    private void addTokens(JsonFile json) {
        for (String name : TOKENS) {
            token(json, name).ifPresent(token -> specialTokens.putIfAbsent(name, token));
        }
        List<String> additional = new ArrayList<>();
        json.get("additional_special_tokens")
                .filter(JsonNode::isArray)
                .ifPresent(array -> array.forEach(
                        token -> additional.add(token.path("content").asText(token.asText()))));
        if (!additional.isEmpty()) {
            specialTokens.putIfAbsent("additional_special_tokens", additional);
        }
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

    private static Map<String, String> templates(JsonFile json) {
        Map<String, String> templates = new LinkedHashMap<>();
        Optional<JsonNode> node = json.get("chat_template").filter(JsonNode::isArray);
        if (node.isEmpty()) {
            json.text("chat_template").ifPresent(template -> templates.put("default", template));
            return templates;
        }
        for (JsonNode named : node.get()) {
            if (!named.path("name").isTextual() || !named.path("template").isTextual()) {
                throw json.wrong(
                        "chat_template", node.get(), "a template, or a list of objects with name and template");
            }
            templates.put(named.get("name").textValue(), named.get("template").textValue());
        }
        return templates;
    }

    /** Templates in files of their own; where there is one, those in {@code tokenizer_config.json} do not count. */
    private static Map<String, String> templateFiles(Path folder) {
        Map<String, String> templates = new LinkedHashMap<>();
        Path jinja = folder.resolve("chat_template" + JINJA);
        if (Files.isRegularFile(jinja)) {
            templates.put("default", read(jinja));
        }
        Path more = folder.resolve("additional_chat_templates");
        if (Files.isDirectory(more)) {
            try (Stream<Path> files = Files.list(more)) {
                files.filter(file -> file.toString().endsWith(JINJA)).sorted().forEach(file -> {
                    String name = file.getFileName().toString();
                    templates.put(name.substring(0, name.length() - JINJA.length()), read(file));
                });
            } catch (IOException e) {
                throw MappedFile.invalid(more, "cannot be read: " + e);
            }
        }
        return templates;
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw MappedFile.invalid(path, "cannot be read: " + e);
        }
    }
}
