package dev.lory.worker;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a sequence starts from. */
public sealed interface Prompt {
    /**
     * Messages for the model's chat template.
     *
     * @param messages OpenAI messages as JSON values: String, Boolean, Long, BigInteger, Double, List, Map, and null inside them
     * @param tools OpenAI tools, as JSON values; empty = none
     * @param addGenerationPrompt whether the prompt ends where the assistant is to speak
     */
    record Chat(
            List<Map<String, @Nullable Object>> messages,
            List<Map<String, @Nullable Object>> tools,
            Map<String, @Nullable Object> templateArguments,
            boolean addGenerationPrompt)
            implements Prompt {
        public Chat {
            messages = List.copyOf(messages);
            tools = List.copyOf(tools);
            templateArguments = Collections.unmodifiableMap(new LinkedHashMap<>(templateArguments));
        }

        /** The assistant is to speak next. */
        public Chat(
                List<Map<String, @Nullable Object>> messages,
                List<Map<String, @Nullable Object>> tools,
                Map<String, @Nullable Object> templateArguments) {
            this(messages, tools, templateArguments, true);
        }
    }

    /** Text, tokenized with the model's special tokens around it and those inside it recognised, as vLLM does. */
    record Text(String text) implements Prompt {}

    /** Token ids, taken as they are. */
    record Tokens(List<Integer> ids) implements Prompt {
        public Tokens {
            ids = List.copyOf(ids);
        }
    }
}
