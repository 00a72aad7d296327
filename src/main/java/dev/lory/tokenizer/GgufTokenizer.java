package dev.lory.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.GgufMetadata;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** Writes the tokenizer in a GGUF file's metadata as a tokenizer.json, so that one library serves both. */
final class GgufTokenizer {
    private static final String PREFIX = "tokenizer.ggml.";

    /** Token types of the GGUF specification; 6 is a byte. */
    private static final int NORMAL = 1;

    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;

    /** How SentencePiece writes a space. */
    private static final String SPACE = "\u2581";

    /** Tokens that control whatever type they are given. */
    private static final List<String> ENDS = List.of("bos", "eos", "eot", "eom");

    private static final Set<String> AROUND_TEXT = Set.of("<unk>", "<s>", "<|endoftext|>");

    private final GgufMetadata metadata;
    private final List<String> tokens;
    private final long[] types;

    private GgufTokenizer(GgufMetadata metadata) {
        this.metadata = metadata;
        tokens = new ArrayList<>(metadata.required(PREFIX + "tokens", metadata::strings));
        types = metadata.integers(PREFIX + "token_type").orElseGet(() -> {
            long[] ordinary = new long[tokens.size()];
            Arrays.fill(ordinary, NORMAL);
            return ordinary;
        });
        checkLength("token_type", types.length);
        for (String end : ENDS) {
            metadata.integer(PREFIX + end + "_token_id")
                    .filter(id -> id < types.length)
                    .ifPresent(id -> types[id] = CONTROL);
        }
    }

    /** @throws ServiceException {@code INVALID_MODEL} naming file and key if the tokenizer is not understood */
    static Tokenizer read(GgufMetadata metadata) {
        GgufTokenizer reader = new GgufTokenizer(metadata);
        return new Tokenizer(
                new TokenizerJson(metadata.path().toString(), reader.json()),
                reader.token("bos_token_id").orElse(""),
                reader.token("eos_token_id").orElse(""));
    }

    private ObjectNode json() {
        String model = metadata.required(PREFIX + "model", metadata::string);
        ObjectNode json = TokenizerJson.MAPPER.createObjectNode().put("version", "1.0");
        switch (model) {
            case "gpt2" -> writeByteLevel(json);
            case "llama" -> writeSentencePiece(json);
            default ->
                throw invalid(PREFIX + "model is " + model
                        + "; gpt2 (byte-level BPE) and llama (SentencePiece's BPE) are supported");
        }
        return json;
    }

    private void writeByteLevel(ObjectNode json) {
        PreTokenizer split = PreTokenizer.of(metadata);
        writeAdded(json.putArray("added_tokens"), false);
        if (split.composes()) {
            json.putObject("normalizer").put("type", "NFC");
        }
        json.set("pre_tokenizer", split.json());
        writePostProcessor(json, split.addsBos());
        json.putObject("decoder").put("type", "ByteLevel");
        ObjectNode model = json.putObject("model").put("type", "BPE").put("ignore_merges", split.ignoresMerges());
        writeVocabulary(model);
        ArrayNode merges = model.putArray("merges");
        metadata.required(PREFIX + "merges", metadata::strings).forEach(merges::add);
    }

    /** Spaces are U+2581, one of them goes before the text, and what the vocabulary lacks is spelled in bytes. */
    private void writeSentencePiece(ObjectNode json) {
        for (int id = 0; id < types.length; id++) {
            if (types[id] == USER_DEFINED) {
                // Looked for in the text itself; older converters spelled them as pieces all the same.
                tokens.set(id, tokens.get(id).replace(SPACE, " "));
            }
        }
        boolean prepends = metadata.flag(PREFIX + "add_space_prefix").orElse(true);
        // Phi-3's tokens swallow the line break after them; GGUF has no place to say so.
        writeAdded(
                json.putArray("added_tokens"),
                metadata.string("general.architecture").orElse("").equals("phi3"));
        ArrayNode normalizers =
                json.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        if (prepends) {
            normalizers.addObject().put("type", "Prepend").put("prepend", SPACE);
        }
        writeReplace(normalizers.addObject(), " ", SPACE);
        json.putNull("pre_tokenizer");
        writePostProcessor(json, true);
        ArrayNode decoders = json.putObject("decoder").put("type", "Sequence").putArray("decoders");
        writeReplace(decoders.addObject(), SPACE, " ");
        decoders.addObject().put("type", "ByteFallback");
        decoders.addObject().put("type", "Fuse");
        if (prepends) {
            decoders.addObject()
                    .put("type", "Strip")
                    .put("content", " ")
                    .put("start", 1)
                    .put("stop", 0);
        }
        writeScored(json.putObject("model"));
    }

    private static void writeReplace(ObjectNode step, String from, String to) {
        step.put("type", "Replace").put("content", to).putObject("pattern").put("String", from);
    }

    private void writeScored(ObjectNode model) {
        double[] scores = metadata.required(PREFIX + "scores", metadata::numbers);
        checkLength("scores", scores.length);
        model.put("type", "BPE").put("byte_fallback", true).put("fuse_unk", true);
        IntStream.range(0, types.length)
                .filter(id -> types[id] == UNKNOWN)
                .findFirst()
                .ifPresent(id -> model.put("unk_token", tokens.get(id)));
        writeVocabulary(model);
        Map<String, Integer> joined = new LinkedHashMap<>();
        for (int id = 0; id < types.length; id++) {
            if ((types[id] == NORMAL || types[id] == UNUSED) && !tokens.get(id).isEmpty()) {
                joined.put(tokens.get(id), id);
            }
        }
        ArrayNode merges = model.putArray("merges");
        ScoredMerges.of(joined, scores).forEach(merges::add);
    }

    private void writeVocabulary(ObjectNode model) {
        ObjectNode vocab = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            if (vocab.replace(tokens.get(id), JsonNodeFactory.instance.numberNode(id)) instanceof JsonNode first) {
                throw invalid(PREFIX + "tokens has " + tokens.get(id) + " twice, as " + first + " and " + id);
            }
        }
    }

    /** @param swallowing whether these tokens take the white space after them, but for those around a text */
    private void writeAdded(ArrayNode added, boolean swallowing) {
        for (int id = 0; id < types.length; id++) {
            boolean special = types[id] == CONTROL || types[id] == UNKNOWN;
            if (special || types[id] == USER_DEFINED) {
                added.addObject()
                        .put("id", id)
                        .put("content", tokens.get(id))
                        .put("special", special)
                        .put("rstrip", swallowing && !AROUND_TEXT.contains(tokens.get(id)));
            }
        }
    }

    private void checkLength(String key, int length) {
        if (length != tokens.size()) {
            throw invalid(PREFIX + key + " has " + length + " elements for " + tokens.size() + " tokens");
        }
    }

    private void writePostProcessor(ObjectNode json, boolean addsBosByDefault) {
        Optional<Integer> bos = added("bos", addsBosByDefault);
        Optional<Integer> eos = added("eos", false);
        ObjectNode template = json.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        ObjectNode special = template.putObject("special_tokens");
        bos.ifPresent(id -> writeSpecial(single, special, "bos", id));
        single.addObject().putObject("Sequence").put("id", "A");
        eos.ifPresent(id -> writeSpecial(single, special, "eos", id));
    }

    private static void writeSpecial(ArrayNode single, ObjectNode special, String name, int id) {
        single.addObject().putObject("SpecialToken").put("id", name);
        special.putObject(name).putArray("ids").add(id);
    }

    /** The id of a token that is to be put beside every text. */
    private Optional<Integer> added(String name, boolean byDefault) {
        boolean wanted = metadata.flag(PREFIX + "add_" + name + "_token").orElse(byDefault);
        return metadata.integer(PREFIX + name + "_token_id").filter(id -> wanted);
    }

    private Optional<String> token(String key) {
        return metadata.integer(PREFIX + key).map(id -> {
            if (id >= tokens.size()) {
                throw invalid(PREFIX + key + " is " + id + " but there are " + tokens.size() + " tokens");
            }
            return tokens.get(id);
        });
    }

    private ServiceException invalid(String detail) {
        return new ServiceException(ErrorCode.INVALID_MODEL, metadata.path() + ": " + detail);
    }
}
