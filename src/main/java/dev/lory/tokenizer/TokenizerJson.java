package dev.lory.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.TokenizerConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A {@code tokenizer.json} taken apart: what we do ourselves (added tokens, decoding, the tokens put around a text)
 * and the rest, which the native library runs without ever hearing of a special token.
 */
final class TokenizerJson {
    static final JsonMapper MAPPER = new JsonMapper();

    /** Ids may have holes, but a small file must not ask for a large table. */
    private static final int MAX_ID = 1 << 22;

    private final String source;
    private final ObjectNode root;
    private final List<AddedToken> added = new ArrayList<>();
    private final List<Integer> prefix = new ArrayList<>();
    private final List<Integer> suffix = new ArrayList<>();
    private String[] pieces = new String[0];
    private int vocabSize;
    private PieceBytes decoder = PieceBytes.BYTE_LEVEL;
    private boolean stripsLeadingSpace;
    private String firstPrefix = "";

    /**
     * @param source what errors name
     * @throws ServiceException {@code INVALID_MODEL} naming the part that is not understood
     */
    TokenizerJson(String source, ObjectNode json) {
        this.source = source;
        this.root = json;
        readVocabulary(json.path("model"));
        JsonNode tokens = json.path("added_tokens");
        ArrayNode remaining = json.putArray("added_tokens");
        for (JsonNode token : tokens) {
            readAdded(token, remaining);
        }
        readPostProcessor(json.path("post_processor"));
        readDecoder(json.path("decoder"));
        readPreTokenizer(json.path("pre_tokenizer"));
        json.putNull("post_processor");
        json.putNull("decoder");
        json.putNull("truncation");
        json.putNull("padding");
    }

    static TokenizerJson parse(String source, byte[] json) {
        try {
            if (MAPPER.readTree(json) instanceof ObjectNode object) {
                return new TokenizerJson(source, object);
            }
            throw invalid(source, "is no JSON object");
        } catch (IOException e) {
            throw invalid(source, "is no valid JSON: " + e.getMessage());
        }
    }

    /** The part for the native library. */
    byte[] remaining() {
        try {
            return MAPPER.writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new ServiceException(ErrorCode.INTERNAL, "cannot write tokenizer.json", e);
        }
    }

    String source() {
        return source;
    }

    List<AddedToken> added() {
        return added;
    }

    /** Ids put before a text. */
    List<Integer> prefix() {
        return prefix;
    }

    /** Ids put after a text. */
    List<Integer> suffix() {
        return suffix;
    }

    /** Text of each token by id; empty where an id is not in use. */
    String[] pieces() {
        return Arrays.copyOf(pieces, vocabSize);
    }

    PieceBytes decoder() {
        return decoder;
    }

    /** Whether a space at the very beginning of decoded text is no part of it. */
    boolean stripsLeadingSpace() {
        return stripsLeadingSpace;
    }

    /** What goes before a text that does not begin with it or a space, once; empty for nothing. */
    String firstPrefix() {
        return firstPrefix;
    }

    private void readVocabulary(JsonNode model) {
        JsonNode vocab = model.path("vocab");
        switch (model.path("type").asText("BPE")) {
            case "BPE" ->
                vocab.properties().forEach(entry -> put(entry.getValue().asInt(-1), entry.getKey()));
            case "Unigram" -> {
                for (int id = 0; id < vocab.size(); id++) {
                    put(id, vocab.get(id).path(0).asText());
                }
            }
            default -> throw unknown("model", model);
        }
        if (pieces.length == 0) {
            throw invalid(source, "has no vocabulary");
        }
    }

    /**
     * A token that is looked for in normalized text stays with the library, which alone has it: its id is then that of the vocabulary. No
     * control token is left there.
     */
    private void readAdded(JsonNode token, ArrayNode remaining) {
        String text = token.path("content").asText();
        int id = token.path("id").asInt(-1);
        put(id, text);
        if (token.path("normalized").asBoolean()
                && !token.path("special").asBoolean()
                && root.path("normalizer").isObject()
                && root.path("model").path("vocab") instanceof ObjectNode vocab) {
            vocab.put(text, id);
            remaining.add(token);
            return;
        }
        added.add(new AddedToken(
                id,
                text,
                token.path("special").asBoolean(),
                token.path("single_word").asBoolean(),
                token.path("lstrip").asBoolean(),
                token.path("rstrip").asBoolean()));
    }

    private void put(int id, String piece) {
        if (id < 0 || id > MAX_ID) {
            throw invalid(source, "gives the token " + piece + " the id " + id);
        }
        if (id >= pieces.length) {
            int length = pieces.length;
            pieces = Arrays.copyOf(pieces, Math.max(id + 1, length + length / 2));
            Arrays.fill(pieces, length, pieces.length, "");
        }
        pieces[id] = piece;
        vocabSize = Math.max(vocabSize, id + 1);
    }

    /**
     * What {@code tokenizer_config.json} has to say: as in transformers, where it has {@code add_bos_token} or {@code add_eos_token}, these
     * alone decide what goes around a text.
     */
    void configure(TokenizerConfig config) {
        boolean bos = config.addsBos().orElse(false);
        boolean eos = config.addsEos().orElse(false);
        if (config.addsBos().isEmpty() && config.addsEos().isEmpty()
                || bos && config.bosToken().isEmpty()
                || eos && config.eosToken().isEmpty()) {
            return;
        }
        around(bos, config.bosToken(), prefix);
        around(eos, config.eosToken(), suffix);
    }

    private void around(boolean wanted, Optional<String> token, List<Integer> ids) {
        ids.clear();
        token.filter(text -> wanted)
                .map(text -> Arrays.asList(pieces).indexOf(text))
                .filter(id -> id >= 0)
                .ifPresent(ids::add);
    }

    private void readPostProcessor(JsonNode processor) {
        switch (processor.path("type").asText("none")) {
            case "none", "ByteLevel" -> {}
            case "Sequence" -> processor.path("processors").forEach(this::readPostProcessor);
            case "TemplateProcessing" -> {
                List<Integer> ids = prefix;
                for (JsonNode item : processor.path("single")) {
                    if (item.has("Sequence")) {
                        ids = suffix;
                    } else {
                        String name = item.path("SpecialToken").path("id").asText();
                        JsonNode token = processor.path("special_tokens").path(name);
                        for (JsonNode id : token.path("ids")) {
                            ids.add(id.asInt());
                        }
                    }
                }
            }
            default -> throw unknown("post_processor", processor);
        }
    }

    private void readDecoder(JsonNode node) {
        switch (node.path("type").asText("none")) {
            case "ByteLevel" -> decoder = PieceBytes.BYTE_LEVEL;
            case "Sequence" -> node.path("decoders").forEach(this::readDecoder);
            case "Replace" -> {
                if (!node.path("pattern").path("String").asText().equals("\u2581")
                        || !node.path("content").asText().equals(" ")) {
                    throw unknown("decoder", node);
                }
                decoder = PieceBytes.SENTENCE_PIECE;
            }
            case "ByteFallback", "Fuse" -> {}
            case "Metaspace" -> {
                if (!node.path("replacement").asText().equals("\u2581")) {
                    throw unknown("decoder", node);
                }
                decoder = PieceBytes.SENTENCE_PIECE;
                stripsLeadingSpace =
                        !node.path("prepend_scheme").asText("always").equals("never");
            }
            case "Strip" -> {
                if (!node.path("content").asText().equals(" ")
                        || node.path("start").asInt() != 1
                        || node.path("stop").asInt() != 0) {
                    throw unknown("decoder", node);
                }
                stripsLeadingSpace = true;
            }
            default -> throw unknown("decoder", node);
        }
    }

    /**
     * A prefix for the beginning of a text only: the library would put it before each part between added tokens, since it is given them one
     * by one. So it is done here.
     */
    private void readPreTokenizer(JsonNode node) {
        if (node instanceof ObjectNode step
                && step.path("prepend_scheme").asText().equals("first")) {
            firstPrefix = step.path("replacement").asText();
            step.put("prepend_scheme", "never");
        }
        node.path("pretokenizers").forEach(this::readPreTokenizer);
    }

    private ServiceException unknown(String part, JsonNode node) {
        String text = node.toString();
        return invalid(
                source, "has a " + part + " that is not supported: " + text.substring(0, Math.min(text.length(), 200)));
    }

    private static ServiceException invalid(String source, String detail) {
        return new ServiceException(ErrorCode.INVALID_MODEL, source + ": " + detail);
    }
}
