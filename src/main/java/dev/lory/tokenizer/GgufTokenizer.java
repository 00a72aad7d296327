package dev.lory.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.GgufMetadata;
import java.util.List;
import java.util.Optional;

/** Writes the tokenizer in a GGUF file's metadata as a tokenizer.json, so that one library serves both. */
final class GgufTokenizer {
    private static final String PREFIX = "tokenizer.ggml.";

    /** Token types of the GGUF specification; all others are ordinary. */
    private static final int UNKNOWN = 2;

    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;

    private final GgufMetadata metadata;
    private final List<String> tokens;

    private GgufTokenizer(GgufMetadata metadata) {
        this.metadata = metadata;
        String model = metadata.required(PREFIX + "model", metadata::string);
        if (!model.equals("gpt2")) {
            throw invalid("tokenizer.ggml.model is " + model + "; gpt2 (byte-level BPE) is the only one supported");
        }
        this.tokens = metadata.required(PREFIX + "tokens", metadata::strings);
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
        PreTokenizer split = PreTokenizer.of(metadata);
        ObjectNode json = TokenizerJson.MAPPER.createObjectNode();
        json.put("version", "1.0");
        writeAdded(json.putArray("added_tokens"));
        json.putNull("normalizer");
        json.set("pre_tokenizer", split.json());
        writePostProcessor(json, split.addsBos());
        json.putObject("decoder").put("type", "ByteLevel");
        writeModel(json.putObject("model"), split.ignoresMerges());
        return json;
    }

    private void writeModel(ObjectNode model, boolean ignoresMerges) {
        model.put("type", "BPE").put("ignore_merges", ignoresMerges);
        ObjectNode vocab = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocab.put(tokens.get(id), id);
        }
        ArrayNode merges = model.putArray("merges");
        metadata.required(PREFIX + "merges", metadata::strings).forEach(merges::add);
    }

    private void writeAdded(ArrayNode added) {
        long[] types = metadata.integers(PREFIX + "token_type").orElse(new long[tokens.size()]);
        if (types.length != tokens.size()) {
            throw invalid(PREFIX + "token_type has " + types.length + " elements for " + tokens.size() + " tokens");
        }
        for (int id = 0; id < types.length; id++) {
            boolean special = types[id] == CONTROL || types[id] == UNKNOWN;
            if (special || types[id] == USER_DEFINED) {
                added.addObject().put("id", id).put("content", tokens.get(id)).put("special", special);
            }
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
