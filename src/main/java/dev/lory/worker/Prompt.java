package dev.lory.worker;

import java.util.List;
import java.util.Map;

/** What a sequence starts from. */
public sealed interface Prompt {
    /**
     * Messages for the model's chat template.
     *
     * @param messages OpenAI messages as JSON values: String, Boolean, Long, Double, List, Map; absent instead of null
     * @param tools OpenAI tools, as JSON values; empty = none
     * @param addGenerationPrompt whether the prompt ends where the assistant is to speak
     */
    record Chat(
            List<Map<String, Object>> messages,
            List<Map<String, Object>> tools,
            Map<String, Object> templateArguments,
            boolean addGenerationPrompt)
            implements Prompt {
        public Chat {
            messages = List.copyOf(messages);
            tools = List.copyOf(tools);
            templateArguments = Map.copyOf(templateArguments);
        }

        /** The assistant is to speak next. */
        public Chat(
                List<Map<String, Object>> messages,
                List<Map<String, Object>> tools,
                Map<String, Object> templateArguments) {
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
