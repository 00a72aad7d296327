package dev.lory.template;

import dev.lory.error.ServiceException;
import java.time.Clock;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a chat template is rendered with. Values are those of JSON: text, booleans, numbers, lists, maps with text keys, and null
 * inside lists and maps; they are not copied deeply and must not change while a template is rendered.
 *
 * @param messages the conversation; each has a {@code role}, mostly {@code content}
 * @param tools descriptions of the tools offered; templates see none instead of an empty list
 * @param addGenerationPrompt whether the prompt ends where the assistant is to speak
 * @param bosToken the text of the token that begins a sequence, empty when there is none
 * @param eosToken the text of the token that ends a sequence
 * @param variables further names, as {@code chat_template_kwargs} of a request; they win over the two tokens
 * @param clock what {@code strftime_now} reads
 */
public record ChatInput(
        List<Map<String, Object>> messages,
        List<Map<String, Object>> tools,
        boolean addGenerationPrompt,
        String bosToken,
        String eosToken,
        Map<String, Object> variables,
        Clock clock) {
    private static final Set<String> RESERVED = Set.of("messages", "tools", "add_generation_prompt");

    /** @throws ServiceException INVALID_REQUEST when a variable takes the name of a component */
    public ChatInput {
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
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
    public static ChatInput of(List<Map<String, Object>> messages) {
        return new ChatInput(messages, List.of(), true, "", "", Map.of(), Clock.systemDefaultZone());
    }

    public ChatInput withTools(List<Map<String, Object>> offered) {
        return new ChatInput(messages, offered, addGenerationPrompt, bosToken, eosToken, variables, clock);
    }

    public ChatInput withTokens(String bos, String eos) {
        return new ChatInput(messages, tools, addGenerationPrompt, bos, eos, variables, clock);
    }

    public ChatInput withGenerationPrompt(boolean add) {
        return new ChatInput(messages, tools, add, bosToken, eosToken, variables, clock);
    }

    public ChatInput withVariables(Map<String, Object> further) {
        return new ChatInput(messages, tools, addGenerationPrompt, bosToken, eosToken, further, clock);
    }

    public ChatInput withClock(Clock read) {
        return new ChatInput(messages, tools, addGenerationPrompt, bosToken, eosToken, variables, read);
    }
}
