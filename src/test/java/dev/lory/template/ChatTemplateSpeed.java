package dev.lory.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** How long a conversation of 20 turns takes, warm, in the longest template of the fixtures that is one of a model family. Says it; what it is depends on the machine. */
class ChatTemplateSpeed {
    private static final int TURNS = 20;
    private static final int WARM_UP = 3000;
    private static final int MEASURED = 1001;

    @Test
    void rendersAConversationOfTwentyTurns() {
        String source = TemplateFixtures.read("tools-xml.json").get("template").textValue();
        ChatTemplate template = ChatTemplate.parse(source);
        ChatInput input = ChatInput.of(conversation()).withTokens(Map.of("bos_token", "<s>", "eos_token", "</s>"));
        String expected = template.render(input);
        for (int i = 0; i < WARM_UP; i++) {
            assertThat(template.render(input)).hasSameSizeAs(expected);
        }

        long[] nanos = new long[MEASURED];
        for (int i = 0; i < MEASURED; i++) {
            long start = System.nanoTime();
            String rendered = template.render(input);
            nanos[i] = System.nanoTime() - start;
            assertThat(rendered).isEqualTo(expected);
        }

        Arrays.sort(nanos);
        assertThat(expected).contains("turn 19");
        System.out.printf(
                "20 turns, a template of %d characters, a prompt of %d: median %.3f ms, 99 of 100 within %.3f ms%n",
                source.length(), expected.length(), nanos[MEASURED / 2] / 1e6, nanos[MEASURED * 99 / 100] / 1e6);
    }

    private static List<Map<String, @Nullable Object>> conversation() {
        List<Map<String, @Nullable Object>> messages = new ArrayList<>();
        for (int i = 0; i < TURNS; i++) {
            String content = "turn " + i + ": " + "a few words of what people say, ".repeat(10);
            messages.add(Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", content));
        }
        return messages;
    }
}
