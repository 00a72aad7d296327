package dev.lory.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.GgufMetadata;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** How byte-level BPE cuts text into words first; GGUF files name it in {@code tokenizer.ggml.pre}. */
enum PreTokenizer {
    /** GPT-2's own rule. */
    GPT2(List.of("gpt-2", "gpt2"), List.of()),
    /** GPT-2's rule after each digit was set apart. */
    SMOLLM(List.of("smollm"), List.of("\\p{N}")),
    /** What ggml does where a file names no rule. */
    DEFAULT(
            List.of("default"),
            List.of(
                    "[\\p{P}\\$\\+<=>\\^~\\|]+",
                    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)",
                    "\\p{N}+",
                    "[0-9][0-9][0-9]")),
    /** Llama 3: numbers in threes; a word that is a token is taken whole. */
    LLAMA3(List.of("llama-bpe", "llama3", "llama-v3"), List.of(words("\\p{N}{1,3}"))),
    /** Qwen 2: digits one by one. */
    QWEN2(List.of("qwen2"), List.of(words("\\p{N}")));

    private final List<String> names;
    private final List<String> patterns;

    PreTokenizer(List<String> names, List<String> patterns) {
        this.names = names;
        this.patterns = patterns;
    }

    /** The rule that both Llama 3 and Qwen 2 have, but for numbers. */
    private static String words(String number) {
        return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + number
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    /** @throws ServiceException {@code INVALID_MODEL} if the file names a rule not known here */
    static PreTokenizer of(GgufMetadata metadata) {
        String name = metadata.string("tokenizer.ggml.pre").orElse("default");
        return Arrays.stream(values())
                .filter(rule -> rule.names.contains(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new ServiceException(
                        ErrorCode.INVALID_MODEL,
                        metadata.path() + ": tokenizer.ggml.pre is " + name + ", which is not supported; supported are "
                                + Arrays.stream(values())
                                        .map(rule -> rule.names.getFirst())
                                        .collect(Collectors.joining(", "))));
    }

    /** Whether a word that is in the vocabulary becomes that token without looking at merges. */
    boolean ignoresMerges() {
        return this == LLAMA3;
    }

    /** Whether BOS goes before a text when the file does not say. */
    boolean addsBos() {
        return this == LLAMA3;
    }

    /** This rule as tokenizer.json has it. */
    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("type", "Sequence");
        ArrayNode steps = json.putArray("pretokenizers");
        for (String pattern : patterns) {
            ObjectNode step = steps.addObject()
                    .put("type", "Split")
                    .put("behavior", "Isolated")
                    .put("invert", false);
            step.putObject("pattern").put("Regex", pattern);
        }
        steps.addObject()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", this == GPT2 || this == SMOLLM);
        return json;
    }
}
