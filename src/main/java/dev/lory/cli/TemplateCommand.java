package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ServiceException;
import dev.lory.template.ChatInput;
import dev.lory.template.ChatTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.TemporalAccessor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lory template}: conversations as a chat template writes them. No model is needed. */
@Command(
        name = "template",
        description = {
            "Conversations in a chat template, a line of JSON each: {\"messages\": […]} gives {\"prompt\": …}.",
            "Also on a line: \"tools\", \"add_generation_prompt\" (default: true), \"bos_token\", \"eos_token\","
                    + " \"chat_template_kwargs\", and \"now\", the time for strftime_now in ISO 8601."
        },
        mixinStandardHelpOptions = true)
final class TemplateCommand implements Callable<Integer> {
    private static final TypeReference<List<Map<String, @Nullable Object>>> OBJECTS = new TypeReference<>() {};
    private static final TypeReference<Map<String, @Nullable Object>> OBJECT = new TypeReference<>() {};

    @Option(names = "--chat-template", paramLabel = "FILE", required = true, description = "A Jinja template.")
    private Path chatTemplate = Path.of("");

    @Mixin
    private InputOutput files = new InputOutput();

    @Override
    public Integer call() throws InterruptedException {
        files.check();
        ChatTemplate template = parse(WorkerFlags.existing("--chat-template", chatTemplate));
        files.run((lines, answers) -> JsonLines.answer(lines, answers, line -> answer(template, line)));
        return 0;
    }

    private static ChatTemplate parse(Path file) {
        try {
            return ChatTemplate.parse(Files.readString(file));
        } catch (IOException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION, "--chat-template " + file + " cannot be read as UTF-8 text: " + e, e);
        } catch (ServiceException e) {
            // The parser knows lines, not files.
            throw new ServiceException(e.code(), file + ": " + e.detail(), e.members());
        }
    }

    /** The answer to one line. */
    static ObjectNode answer(ChatTemplate template, ObjectNode line) {
        if (JsonLines.get(line, "messages").isEmpty()) {
            throw JsonLines.missing("messages");
        }
        Map<String, Object> tokens = new HashMap<>();
        for (String name : List.of("bos_token", "eos_token")) {
            JsonLines.text(line, name).ifPresent(token -> tokens.put(name, token));
        }
        ChatInput input = ChatInput.of(objects(line, "messages"))
                .withTools(objects(line, "tools"))
                .withGenerationPrompt(JsonLines.flag(line, "add_generation_prompt", true))
                .withTokens(tokens)
                .withVariables(variables(line));
        String prompt = template.render(JsonLines.text(line, "now")
                .map(now -> input.withClock(clock(now)))
                .orElse(input));
        return JsonLines.JSON.createObjectNode().put("prompt", prompt);
    }

    /** An array of objects, with null where the line has it; empty if it is absent. */
    private static List<Map<String, @Nullable Object>> objects(ObjectNode line, String field) {
        return JsonLines.get(line, field)
                .map(value -> {
                    if (!value.isArray()) {
                        throw JsonLines.wrong(field, "an array", value);
                    }
                    for (int i = 0; i < value.size(); i++) {
                        if (!value.get(i).isObject()) {
                            throw JsonLines.wrong(field + "[" + i + "]", "an object", value.get(i));
                        }
                    }
                    return JsonLines.JSON.convertValue(value, OBJECTS);
                })
                .orElse(List.of());
    }

    private static Map<String, @Nullable Object> variables(ObjectNode line) {
        JsonNode value = JsonLines.get(line, "chat_template_kwargs").orElse(JsonLines.JSON.createObjectNode());
        if (!value.isObject()) {
            throw JsonLines.wrong("chat_template_kwargs", "an object", value);
        }
        return JsonLines.JSON.convertValue(value, OBJECT);
    }

    /** A date, a date and time, or one with an offset or zone; UTC where it has none. */
    private static Clock clock(String now) {
        try {
            TemporalAccessor time = now.indexOf('T') < 0
                    ? LocalDate.parse(now).atStartOfDay()
                    : DateTimeFormatter.ISO_DATE_TIME.parseBest(now, ZonedDateTime::from, LocalDateTime::from);
            ZonedDateTime zoned =
                    time instanceof LocalDateTime local ? local.atZone(ZoneOffset.UTC) : ZonedDateTime.from(time);
            return Clock.fixed(zoned.toInstant(), zoned.getZone());
        } catch (DateTimeException e) {
            throw ServiceException.invalid("now", "now must be a time such as 2026-03-05T09:30:00 but is " + now);
        }
    }
}
