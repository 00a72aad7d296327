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
    GPT2(List.of("gpt-2", "gpt2", "phi-2", "olmo", "mpt"), List.of()),
    /** GPT-2's rule after each digit was set apart. */
    STARCODER(List.of("starcoder", "smollm", "refact", "command-r", "codeshell"), List.of("\\p{N}")),
    /** What ggml does where a file names no rule. */
    DEFAULT(
            List.of("default"),
            List.of(
                    "[\\p{P}\\$\\+<=>\\^~\\|]+",
                    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)",
                    "\\p{N}+",
                    "[0-9][0-9][0-9]")),
    /** DeepSeek's first coders: line breaks, letters, punctuation, Chinese and digits apart. */
    DEEPSEEK_CODER(
            List.of("deepseek-coder"),
            List.of("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+", "\\p{N}")),
    /** Llama 3: numbers in threes; a word that is a token is taken whole. */
    LLAMA3(List.of("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"), List.of(words("\\p{N}{1,3}"))),
    /** Llama 3's rule, and words built up by merges. */
    DBRX(List.of("dbrx", "smaug-bpe"), List.of(words("\\p{N}{1,3}"))),
    /** Qwen 2 and 3: composed characters (NFC), digits one by one. */
    QWEN2(List.of("qwen2", "deepseek-r1-qwen", "megrez", "stablelm2"), List.of(words("\\p{N}"))),
    /** Mistral Nemo: a capital letter begins a word; a word that is a token is taken whole. */
    TEKKEN(List.of("tekken"), List.of(casedWords("", "\\p{N}"))),
    /** GPT-4o and Phi-4-mini: a capital letter begins a word. */
    GPT4O(List.of("gpt-4o", "llama4"), List.of(casedWords("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}")));

    private final List<String> names;
    private final List<String> patterns;

    PreTokenizer(List<String> names, List<String> patterns) {
        this.names = names;
        this.patterns = patterns;
    }

    /** What Llama 3 and Qwen 2 have in common: all but numbers. */
    private static String words(String number) {
        return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + number
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    private static String casedWords(String contraction, String number) {
        String first = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
        String more = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
        return first + "*" + more + "+" + contraction + "|" + first + "+" + more + "*" + contraction + "|" + number
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
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
                                        .flatMap(rule -> rule.names.stream())
                                        .collect(Collectors.joining(", "))));
    }

    /** Whether a word that is in the vocabulary becomes that token without looking at merges. */
    boolean ignoresMerges() {
        return this == LLAMA3 || this == TEKKEN;
    }

    /** Whether text is put into Unicode's form NFC first; llama.cpp leaves that out. */
    boolean composes() {
        return this == QWEN2;
    }

    /** Whether BOS goes before a text when the file does not say. */
    boolean addsBos() {
        return this == LLAMA3 || this == TEKKEN;
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
                .put("use_regex", this == GPT2 || this == STARCODER);
        return json;
    }
}
