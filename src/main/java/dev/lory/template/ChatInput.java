package dev.lory.template;

import dev.lory.error.ServiceException;
import java.time.Clock;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a chat template is rendered with. Values are those of JSON: text, booleans, numbers, lists, maps with text keys, and null
 * inside lists and maps; they are not copied deeply and must not change while a template is rendered.
 *
 * @param messages the conversation; each has a {@code role}, mostly {@code content}
 * @param tools descriptions of the tools offered; templates see none instead of an empty list
 * @param addGenerationPrompt whether the prompt ends where the assistant is to speak
 * @param specialTokens the model's special tokens by name, such as {@code bos_token}: texts, or lists of them; what a model does not have
 *     is absent, and undefined in the template
 * @param variables further names, as {@code chat_template_kwargs} of a request; they win over the special tokens
 * @param clock what {@code strftime_now} reads
 */
public record ChatInput(
        List<Map<String, @Nullable Object>> messages,
        List<Map<String, @Nullable Object>> tools,
        boolean addGenerationPrompt,
        Map<String, Object> specialTokens,
        Map<String, @Nullable Object> variables,
        Clock clock) {
    private static final Set<String> RESERVED = Set.of("messages", "tools", "add_generation_prompt");

    /** @throws ServiceException INVALID_REQUEST when a variable takes the name of a component */
    public ChatInput {
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
        specialTokens = Map.copyOf(specialTokens);
        variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
        for (String name : variables.keySet()) {
            if (RESERVED.contains(name)) {
                throw ServiceException.invalid(
                        "chat_template_kwargs",
                        "chat_template_kwargs must not name '" + name + "': it is a field of the request");
            }
        }
    }

    /** These messages, then the assistant: no tools, no special tokens, the system's time. */
    public static ChatInput of(List<Map<String, @Nullable Object>> messages) {
        return new ChatInput(messages, List.of(), true, Map.of(), Map.of(), Clock.systemDefaultZone());
    }

    public ChatInput withTools(List<Map<String, @Nullable Object>> offered) {
        return new ChatInput(messages, offered, addGenerationPrompt, specialTokens, variables, clock);
    }

    public ChatInput withTokens(Map<String, Object> tokens) {
        return new ChatInput(messages, tools, addGenerationPrompt, tokens, variables, clock);
    }

    public ChatInput withGenerationPrompt(boolean add) {
        return new ChatInput(messages, tools, add, specialTokens, variables, clock);
    }

    public ChatInput withVariables(Map<String, @Nullable Object> further) {
        return new ChatInput(messages, tools, addGenerationPrompt, specialTokens, further, clock);
    }

    public ChatInput withClock(Clock read) {
        return new ChatInput(messages, tools, addGenerationPrompt, specialTokens, variables, read);
    }
}
