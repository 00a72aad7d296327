package dev.lory.worker;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.ModelSource;
import dev.lory.sampling.SamplingParams;
import dev.lory.template.ChatInput;
import dev.lory.template.ChatTemplate;
import dev.lory.tokenizer.TextStream;
import dev.lory.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Between text and tokens: the model's tokenizer, chat template and end tokens. A model without a tokenizer serves token ids, and so does one
 * whose tokenizer has no native library for this platform.
 */
final class ModelText implements Vocabulary {
    private static final Logger LOG = System.getLogger(ModelText.class.getName());

    private final @Nullable Tokenizer tokenizer;

    /** Why there is no tokenizer. */
    private final ServiceException missing;

    private final @Nullable ChatTemplate template;
    private final String bos;
    private final String eos;
    private final List<Integer> eosIds;

    private ModelText(WorkerOptions options, ModelSource source) {
        @Nullable Tokenizer opened = null;
        ServiceException reason = new ServiceException(
                ErrorCode.INVALID_REQUEST,
                "the model "
                        + Tokenizer.otherForm(options.model())
                                .map(sentence -> sentence + "; until then prompts must be token ids")
                                .orElse("has no tokenizer: prompts must be token ids"));
        try {
            opened = options.tokenizer().isEmpty()
                    ? Tokenizer.of(source).orElse(null)
                    : Tokenizer.open(Path.of(options.tokenizer()));
        } catch (ServiceException e) {
            if (e.code() != ErrorCode.UNAVAILABLE) {
                throw e;
            }
            reason = new ServiceException(
                    ErrorCode.UNSUPPORTED, e.detail() + "; prompts must be token ids, and answers have no text", e);
            LOG.log(Level.WARNING, reason.detail());
        }
        tokenizer = opened;
        missing = reason;
        template = options.chatTemplate().isEmpty()
                ? source.chatTemplate().map(ChatTemplate::parse).orElse(null)
                : ChatTemplate.parse(read(Path.of(options.chatTemplate())));
        bos = source.bosToken().orElse("");
        eos = source.eosToken().orElse("");
        eosIds = source.config().eosTokenIds();
    }

    /** @throws ServiceException {@code INVALID_MODEL}, {@code INVALID_TEMPLATE}, {@code INVALID_CONFIGURATION}, {@code UNAVAILABLE} */
    static ModelText of(WorkerOptions options, ModelSource source) {
        return new ModelText(options, source);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new ServiceException(ErrorCode.INVALID_CONFIGURATION, "chat template " + file + " cannot be read", e);
        }
    }

    /** The prompt as token ids, with what the model expects around a text. */
    int[] encode(Prompt prompt) {
        return encoded(prompt, prompt instanceof Prompt.Text);
    }

    @Override
    public List<Integer> encode(Prompt prompt, boolean addSpecialTokens) {
        return IntStream.of(encoded(prompt, addSpecialTokens)).boxed().toList();
    }

    private int[] encoded(Prompt prompt, boolean addSpecialTokens) {
        return switch (prompt) {
            case Prompt.Chat chat -> {
                Tokenizer known = tokenizer();
                yield known.encode(render(chat, known::protect), addSpecialTokens, true);
            }
            case Prompt.Text(String text) -> tokenizer().encode(text, addSpecialTokens, true);
            case Prompt.Tokens(List<Integer> ids) ->
                ids.stream().mapToInt(id -> id).toArray();
        };
    }

    @Override
    public String render(Prompt.Chat chat) {
        return render(chat, UnaryOperator.identity());
    }

    /** @param written what becomes of each text in messages, tools and template arguments */
    private String render(Prompt.Chat chat, UnaryOperator<String> written) {
        ChatTemplate loaded = template;
        if (loaded == null) {
            throw new ServiceException(
                    ErrorCode.INVALID_REQUEST,
                    "the model has no chat template: use completions, or give --chat-template");
        }
        return loaded.render(ChatInput.of(all(chat.messages(), written))
                .withTools(all(chat.tools(), written))
                .withGenerationPrompt(chat.addGenerationPrompt())
                .withTokens(bos, eos)
                .withVariables(each(chat.templateArguments(), written)));
    }

    private static List<Map<String, Object>> all(List<Map<String, Object>> maps, UnaryOperator<String> written) {
        return maps.stream().map(map -> each(map, written)).toList();
    }

    private static Map<String, Object> each(Map<?, ?> map, UnaryOperator<String> written) {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> copy.put(written.apply(String.valueOf(key)), each(value, written)));
        return copy;
    }

    private static Object each(Object value, UnaryOperator<String> written) {
        return switch (value) {
            case String text -> written.apply(text);
            case List<?> list ->
                list.stream().map(inner -> each(inner, written)).toList();
            case Map<?, ?> map -> each(map, written);
            default -> value;
        };
    }

    /** The tokens that end a sequence with these parameters. */
    int[] endTokens(SamplingParams params) {
        IntStream stops = params.stopTokenIds().stream().mapToInt(id -> id);
        IntStream ends =
                params.ignoreEos() ? IntStream.empty() : eosIds.stream().mapToInt(id -> id);
        return IntStream.concat(stops, ends).toArray();
    }

    /** A decoder for one output; of a model without a tokenizer it gives empty text. */
    Optional<TextStream> stream(boolean skipSpecial) {
        return Optional.ofNullable(tokenizer).map(known -> known.stream(skipSpecial));
    }

    private Tokenizer tokenizer() {
        Tokenizer known = tokenizer;
        if (known == null) {
            throw new ServiceException(missing.code(), missing.detail());
        }
        return known;
    }

    @Override
    public String text(int id) {
        return tokenizer().token(id);
    }

    @Override
    public byte[] bytes(int id) {
        return tokenizer().bytes(id);
    }

    @Override
    public String piece(int id) {
        return tokenizer().piece(id);
    }

    @Override
    public String decode(List<Integer> ids) {
        return tokenizer().decode(ids.stream().mapToInt(id -> id).toArray(), false);
    }
}
