package dev.lory.tokenizer;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.ModelSource;
import dev.lory.format.TokenizerConfig;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A Hugging Face tokenizer. The native library never learns of special tokens: they are found here, and only where the
 * caller asks for it, so that text cannot turn into control tokens by accident. Safe for several threads.
 *
 * <p>The native library is unpacked below the folder in the system property {@code DJL_CACHE_DIR}, to be set before the
 * first tokenizer is made; by default below the user's home.
 */
public final class Tokenizer implements AutoCloseable {
    static {
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.offline", "true");
    }

    private final HuggingFaceTokenizer model;
    private final AddedTokens added;
    private final String[] pieces;
    private final int[] prefix;
    private final int[] suffix;
    private final PieceBytes decoder;
    private final boolean stripsLeadingSpace;
    private final int bosId;
    private final int eosId;

    /** @param bos text of the token that begins a text, {@code eos} of the one that ends it; empty for none */
    Tokenizer(TokenizerJson json, String bos, String eos) {
        added = new AddedTokens(json.added());
        pieces = json.pieces();
        prefix = json.prefix().stream().mapToInt(id -> id).toArray();
        suffix = json.suffix().stream().mapToInt(id -> id).toArray();
        decoder = json.decoder();
        stripsLeadingSpace = json.stripsLeadingSpace();
        bosId = bos.isEmpty() ? -1 : Arrays.asList(pieces).indexOf(bos);
        eosId = eos.isEmpty() ? -1 : Arrays.asList(pieces).indexOf(eos);
        model = open(json);
    }

    /**
     * Reads a {@code tokenizer.json}, and the names of its first and last token from {@code tokenizer_config.json}
     * beside it.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming the file; {@code UNAVAILABLE} if this platform has no
     *     native library
     */
    public static Tokenizer fromJson(Path tokenizerJson) {
        TokenizerConfig config = TokenizerConfig.beside(tokenizerJson);
        try {
            return new Tokenizer(
                    TokenizerJson.parse(tokenizerJson.toString(), Files.readAllBytes(tokenizerJson)),
                    config.bosToken().orElse(""),
                    config.eosToken().orElse(""));
        } catch (IOException e) {
            throw new ServiceException(ErrorCode.INVALID_MODEL, tokenizerJson + ": cannot be read: " + e, e);
        }
    }

    /** As {@link #fromJson(Path)}, from the content of the file alone. */
    public static Tokenizer fromJson(byte[] tokenizerJson) {
        return new Tokenizer(TokenizerJson.parse("tokenizer.json", tokenizerJson), "", "");
    }

    /** The tokenizer of a model, if it brings one. */
    public static Optional<Tokenizer> of(ModelSource source) {
        return source.gguf()
                .map(GgufTokenizer::read)
                .or(() -> source.tokenizerJson().map(Tokenizer::fromJson));
    }

    private static HuggingFaceTokenizer open(TokenizerJson json) {
        Map<String, String> options =
                Map.of("addSpecialTokens", "false", "truncation", "do_not_truncate", "padding", "do_not_pad");
        try {
            return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json.remaining()), options);
        } catch (EngineException | LinkageError e) {
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE,
                    "the tokenizer's native library cannot be loaded on " + System.getProperty("os.name") + " "
                            + System.getProperty("os.arch") + ": " + e.getMessage(),
                    e);
        } catch (IOException | RuntimeException e) {
            throw new ServiceException(
                    ErrorCode.INVALID_MODEL, json.source() + ": is no usable tokenizer: " + e.getMessage(), e);
        }
    }

    /**
     * The token ids of a text.
     *
     * @param addSpecial whether the tokens that the model expects around a text, such as BOS, are added
     * @param parseSpecial whether special tokens spelled out in the text become tokens; for rendered templates, whose
     *     user text went through {@link #protect}
     */
    public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
        IntStream.Builder ids = IntStream.builder();
        if (addSpecial) {
            Arrays.stream(prefix).forEach(ids);
        }
        added.split(wellFormed(text), parseSpecial, part -> encodePart(part, ids), ids);
        if (addSpecial) {
            Arrays.stream(suffix).forEach(ids);
        }
        return ids.build().toArray();
    }

    private void encodePart(String part, IntStream.Builder ids) {
        for (long id : model.encode(part, false, false).getIds()) {
            ids.add((int) id);
        }
    }

    /** Halves of surrogate pairs, which have no UTF-8, become U+FFFD. */
    private static String wellFormed(String text) {
        return text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)
                ? text.codePoints()
                        .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString()
                : text;
    }

    /**
     * Marks a user's text so that after it has been put into a template, {@link #encode} with {@code parseSpecial} sees
     * it as text, whatever special tokens it spells out. The marks are U+FDD0, which is taken out of the text first,
     * and which encoding removes again.
     */
    public String protect(String userText) {
        return added.protect(userText);
    }

    /** The text of a sequence of tokens; bytes that are no UTF-8 become U+FFFD. */
    public String decode(int[] ids, boolean skipSpecial) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(4 * ids.length);
        for (int id : ids) {
            if (!skipSpecial || !isSpecial(id)) {
                bytes.writeBytes(bytes(id));
            }
        }
        String text = Utf8.decode(bytes.toByteArray(), bytes.size());
        return stripsLeadingSpace && text.startsWith(" ") ? text.substring(1) : text;
    }

    /** A decoder that takes the tokens of one text one by one. */
    public TextStream stream(boolean skipSpecial) {
        return new TextStream(this, skipSpecial, stripsLeadingSpace);
    }

    /** The text of one token by itself; U+FFFD where it holds part of a character, empty for an id without a token. */
    public String token(int id) {
        byte[] bytes = bytes(id);
        return Utf8.decode(bytes, bytes.length);
    }

    /** The bytes of one token, possibly only part of a character; none for an id without a token. */
    public byte[] bytes(int id) {
        return id < 0 || id >= pieces.length ? new byte[0] : decoder.of(pieces[id]);
    }

    /** One more than the highest id; the model's vocabulary may be padded beyond it. */
    public int vocabSize() {
        return pieces.length;
    }

    /** Whether this is a control token, which {@code skipSpecial} leaves out. */
    public boolean isSpecial(int id) {
        return added.isSpecial(id);
    }

    public OptionalInt bosId() {
        return bosId < 0 ? OptionalInt.empty() : OptionalInt.of(bosId);
    }

    public OptionalInt eosId() {
        return eosId < 0 ? OptionalInt.empty() : OptionalInt.of(eosId);
    }

    /** Text of the token that begins a text, as chat templates want it. */
    public Optional<String> bosText() {
        return bosId < 0 ? Optional.empty() : Optional.of(pieces[bosId]);
    }

    /** Text of the token that ends a text, as chat templates want it. */
    public Optional<String> eosText() {
        return eosId < 0 ? Optional.empty() : Optional.of(pieces[eosId]);
    }

    @Override
    public void close() {
        model.close();
    }
}
