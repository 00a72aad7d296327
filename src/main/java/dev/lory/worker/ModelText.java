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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Between text and tokens: the model's tokenizer, chat template and end tokens. A model without a tokenizer serves token ids. */
final class ModelText implements Vocabulary {
    private final @Nullable Tokenizer tokenizer;
    private final @Nullable ChatTemplate template;
    private final String bos;
    private final String eos;
    private final List<Integer> eosIds;

    private ModelText(WorkerOptions options, ModelSource source) {
        tokenizer = options.tokenizer().isEmpty()
                ? Tokenizer.of(source).orElse(null)
                : Tokenizer.fromJson(tokenizerJson(Path.of(options.tokenizer())));
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

    private static Path tokenizerJson(Path path) {
        return Files.isDirectory(path) ? path.resolve("tokenizer.json") : path;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new ServiceException(ErrorCode.INVALID_CONFIGURATION, "chat template " + file + " cannot be read", e);
        }
    }

    /** The prompt as token ids. */
    int[] encode(Prompt prompt) {
        return switch (prompt) {
            case Prompt.Chat chat -> tokenizer().encode(render(chat), false, true);
            case Prompt.Text(String text) -> tokenizer().encode(text, true, true);
            case Prompt.Tokens(List<Integer> ids) ->
                ids.stream().mapToInt(id -> id).toArray();
        };
    }

    private String render(Prompt.Chat chat) {
        ChatTemplate loaded = template;
        if (loaded == null) {
            throw new ServiceException(
                    ErrorCode.INVALID_REQUEST,
                    "the model has no chat template: use completions, or give --chat-template");
        }
        List<Map<String, Object>> messages = new ArrayList<>();
        for (Map<String, Object> message : chat.messages()) {
            messages.add(protect(message));
        }
        return loaded.render(ChatInput.of(messages)
                .withTools(chat.tools())
                .withTokens(bos, eos)
                .withVariables(chat.templateArguments()));
    }

    /** What users wrote must not turn into special tokens; the role is not theirs to spell. */
    private Map<String, Object> protect(Map<String, Object> message) {
        Map<String, Object> protectedMessage = new LinkedHashMap<>();
        message.forEach((field, value) -> protectedMessage.put(field, protect(value)));
        return protectedMessage;
    }

    private Object protect(Object value) {
        return switch (value) {
            case String text -> tokenizer().protect(text);
            case List<?> list -> list.stream().map(this::protect).toList();
            case Map<?, ?> map -> {
                Map<Object, Object> copy = new LinkedHashMap<>();
                map.forEach((key, inner) -> copy.put(key, protect(inner)));
                yield copy;
            }
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
            throw new ServiceException(
                    ErrorCode.INVALID_REQUEST, "the model has no tokenizer: prompts must be token ids");
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
    public String decode(List<Integer> ids) {
        return tokenizer().decode(ids.stream().mapToInt(id -> id).toArray(), false);
    }
}
