package dev.lory.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Templates in the manner of the main model families, against what transformers renders, errors included. */
class ReferenceTemplatesTest {
    static Stream<Arguments> conversations() {
        List<Arguments> all = new ArrayList<>();
        for (String name : TemplateFixtures.names()) {
            JsonNode set = TemplateFixtures.read(name);
            int number = 0;
            for (JsonNode conversation : set.path("cases")) {
                all.add(Arguments.of(name, number++, set, conversation));
            }
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("conversations")
    void rendersOrRefusesAsTransformersDoes(String name, int number, JsonNode set, JsonNode conversation) {
        ChatTemplate template = ChatTemplate.parse(set.get("template").textValue());
        ChatInput input = ChatInput.of(TemplateFixtures.maps(conversation.get("messages")))
                .withTools(conversation.has("tools") ? TemplateFixtures.maps(conversation.get("tools")) : List.of())
                .withGenerationPrompt(conversation.get("add_generation_prompt").booleanValue())
                .withTokens(Map.of(
                        "bos_token", set.get("bos_token").textValue(),
                        "eos_token", set.get("eos_token").textValue()))
                .withClock(Clock.fixed(
                        LocalDate.parse(set.get("date").textValue())
                                .atTime(9, 30)
                                .toInstant(ZoneOffset.UTC),
                        ZoneOffset.UTC));

        if (conversation.has("rendered")) {
            assertThat(template.render(input))
                    .isEqualTo(conversation.get("rendered").textValue());
            return;
        }
        String error = conversation.get("error").textValue();
        String message = error.substring(error.indexOf(": ") + 2);
        boolean raised = error.startsWith("TemplateError");
        assertThatThrownBy(() -> template.render(input))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_TEMPLATE))
                .message()
                .satisfies(m -> {
                    if (raised) {
                        assertThat(m).isEqualTo(message);
                    } else {
                        assertThat(m)
                                .matches("(?s)chat template, line \\d+: .*")
                                .endsWith(message);
                    }
                });
    }

    @Test
    void rendersTheDemoModelsTemplate() {
        JsonNode demo = TemplateFixtures.read("demo/smollm2-135m-instruct.json");
        ChatTemplate template = ChatTemplate.parse(demo.get("template").textValue());

        assertThat(demo.get("prompts")).hasSize(12);
        for (JsonNode prompt : demo.get("prompts")) {
            List<Map<String, @Nullable Object>> messages = List.of(
                    Map.of("role", "user", "content", prompt.get("prompt").textValue()));
            assertThat(template.render(ChatInput.of(messages)))
                    .isEqualTo(prompt.get("templated").textValue());
        }
    }
}
