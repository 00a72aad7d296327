package dev.lory.tokenizer;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.GgufMetadata;
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
import java.util.stream.Stream;

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
    private final String firstPrefix;
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
        firstPrefix = json.firstPrefix();
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
            TokenizerJson json = TokenizerJson.parse(tokenizerJson.toString(), Files.readAllBytes(tokenizerJson));
            json.configure(config);
            return new Tokenizer(
                    json, config.bosToken().orElse(""), config.eosToken().orElse(""));
        } catch (IOException e) {
            throw new ServiceException(ErrorCode.INVALID_MODEL, tokenizerJson + ": cannot be read: " + e, e);
        }
    }

    /**
     * The tokenizer somebody points at: a {@code tokenizer.json}, a folder that has one, a GGUF file, or a folder with exactly one. Of a
     * GGUF file only the metadata is read.
     *
     * @throws ServiceException as {@link #fromJson(Path)}; {@code INVALID_CONFIGURATION} naming the path if none is there
     */
    public static Tokenizer open(Path path) {
        if (!Files.isDirectory(path)) {
            return path.toString().endsWith(".gguf") ? GgufTokenizer.read(GgufMetadata.read(path)) : fromJson(path);
        }
        Path json = path.resolve("tokenizer.json");
        if (!Files.exists(json)) {
            otherForm(path).ifPresent(sentence -> {
                throw new ServiceException(ErrorCode.INVALID_CONFIGURATION, "the folder " + path + " " + sentence);
            });
        }
        return Files.isRegularFile(json)
                ? fromJson(json)
                : GgufTokenizer.read(GgufMetadata.read(ModelSource.onlyGguf(path, "tokenizer.json")));
    }

    /** What to do about a folder whose tokenizer is there, but not as {@code tokenizer.json}; empty if it has none. */
    public static Optional<String> otherForm(Path folder) {
        return Stream.of("tokenizer.model", "tekken.json", "vocab.json")
                .filter(name -> Files.isRegularFile(folder.resolve(name)))
                .findFirst()
                .map(name -> "has " + name + " but no tokenizer.json: transformers writes one"
                        + " (AutoTokenizer.from_pretrained(folder).save_pretrained(folder))");
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
        } catch (EngineException | LinkageError | AssertionError e) {
            // The library asserts that it knows the platform.
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE,
                    "the tokenizer's native library cannot be loaded on " + System.getProperty("os.name") + " "
                            + System.getProperty("os.arch") + ": "
                            + (e.getCause() == null ? e : e.getCause()).getMessage(),
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
        Ids ids = new Ids();
        if (addSpecial) {
            Arrays.stream(prefix).forEach(ids.all);
        }
        added.split(wellFormed(text), parseSpecial, ids::addText, ids::addToken);
        if (addSpecial) {
            Arrays.stream(suffix).forEach(ids.all);
        }
        return ids.all.build().toArray();
    }

    /** Collects what the parts of one text become. */
    private final class Ids {
        private final IntStream.Builder all = IntStream.builder();
        private boolean begun;

        void addText(String part) {
            boolean prefixed = begun || firstPrefix.isEmpty() || part.startsWith(" ") || part.startsWith(firstPrefix);
            for (long id : ids(prefixed ? part : firstPrefix + part)) {
                all.add((int) id);
            }
            begun = true;
        }

        void addToken(int id) {
            all.add(id);
            begun = true;
        }
    }

    /** Ids alone: the strings and offsets that the library's own {@code encode} fetches too take a tenth to a half of its time. */
    private long[] ids(String text) {
        long encoding = TokenizersLibrary.LIB.encode(model.getHandle(), text, false);
        try {
            return TokenizersLibrary.LIB.getTokenIds(encoding);
        } finally {
            TokenizersLibrary.LIB.deleteEncoding(encoding);
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

    /**
     * The text of a sequence of tokens; bytes that are no UTF-8 become U+FFFD. Of a row of byte tokens that is partly UTF-8 that part is kept,
     * where Hugging Face's byte fallback gives up on the whole row: a stream has given it out long before.
     */
    public String decode(int[] ids, boolean skipSpecial) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(4 * ids.length);
        for (int id : ids) {
            if (!skipSpecial || !isSpecial(id)) {
                bytes.writeBytes(bytes(id));
            }
        }
        String text = text(bytes.toByteArray(), bytes.size());
        return stripsLeadingSpace && text.startsWith(" ") ? text.substring(1) : text;
    }

    /** A decoder that takes the tokens of one text one by one. */
    public TextStream stream(boolean skipSpecial) {
        return new TextStream(this, skipSpecial, stripsLeadingSpace);
    }

    /** The text of one token by itself; U+FFFD where it holds part of a character, empty for an id without a token. */
    public String token(int id) {
        byte[] bytes = bytes(id);
        return text(bytes, bytes.length);
    }

    /** The text of the first {@code length} bytes. */
    String text(byte[] bytes, int length) {
        return decoder.text(bytes, length);
    }

    /** The token as the vocabulary spells it, such as {@code Ġof}; empty for an id without a token. */
    public String piece(int id) {
        return id < 0 || id >= pieces.length ? "" : pieces[id];
    }

    /** The bytes of one token, possibly only part of a character; none for an id without a token. */
    public byte[] bytes(int id) {
        return decoder.of(piece(id));
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
