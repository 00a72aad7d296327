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

    /** What requests without tools, and those with tools, are rendered with. */
    private final @Nullable ChatTemplate template;

    private final @Nullable ChatTemplate toolTemplate;
    private final String templatePlaces;
    private final Map<String, Object> specialTokens;
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
        Map<String, String> templates = options.chatTemplate().isEmpty()
                ? source.chatTemplates()
                : Map.of("default", read(Path.of(options.chatTemplate())));
        template = Optional.ofNullable(templates.get("default"))
                .map(ChatTemplate::parse)
                .orElse(null);
        toolTemplate = Optional.ofNullable(templates.get("tool_use"))
                .map(ChatTemplate::parse)
                .orElse(template);
        templatePlaces = source.gguf().isPresent()
                ? "tokenizer.chat_template in the GGUF file"
                : "chat_template.jinja, and chat_template in tokenizer_config.json";
        specialTokens = source.specialTokens();
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
        ChatTemplate loaded = chat.tools().isEmpty() ? template : toolTemplate;
        if (loaded == null) {
            throw new ServiceException(
                    ErrorCode.INVALID_REQUEST,
                    "the model has no chat template: use completions, or give --chat-template (looked for "
                            + templatePlaces + ")");
        }
        return loaded.render(ChatInput.of(all(chat.messages(), written))
                .withTools(all(chat.tools(), written))
                .withGenerationPrompt(chat.addGenerationPrompt())
                .withTokens(specialTokens)
                .withVariables(each(chat.templateArguments(), written)));
    }

    private static List<Map<String, @Nullable Object>> all(
            List<Map<String, @Nullable Object>> maps, UnaryOperator<String> written) {
        return maps.stream().map(map -> each(map, written)).toList();
    }

    private static Map<String, @Nullable Object> each(Map<?, ?> map, UnaryOperator<String> written) {
        Map<String, @Nullable Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> copy.put(written.apply(String.valueOf(key)), each(value, written)));
        return copy;
    }

    private static @Nullable Object each(@Nullable Object value, UnaryOperator<String> written) {
        return switch (value) {
            case null -> null;
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
    public boolean isSpecial(int id) {
        return tokenizer().isSpecial(id);
    }

    @Override
    public String decode(List<Integer> ids) {
        return tokenizer().decode(ids.stream().mapToInt(id -> id).toArray(), false);
    }
}
