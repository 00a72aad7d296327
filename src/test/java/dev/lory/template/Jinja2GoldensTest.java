package dev.lory.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Small templates against Jinja2 itself; {@code make_goldens.py} beside the data says how it was asked. */
class Jinja2GoldensTest {
    private static final JsonNode GOLDENS = TemplateFixtures.read("expressions.json");
    private static final Map<String, @Nullable Object> VARIABLES = TemplateFixtures.map(GOLDENS.get("variables"));
    /** Errors whose words are Python's or Jinja's own here too. */
    private static final Set<String> SAME_WORDS = Set.of(
            "UndefinedError", "TemplateError", "ValueError", "ZeroDivisionError", "OverflowError", "SecurityError");

    static Stream<JsonNode> hand() {
        return StreamSupport.stream(GOLDENS.get("hand").spliterator(), false);
    }

    static Stream<JsonNode> drawn() {
        return StreamSupport.stream(GOLDENS.get("drawn").spliterator(), false);
    }

    @ParameterizedTest
    @MethodSource("hand")
    void agreesWithJinja2OnWhatTemplatesUse(JsonNode golden) {
        String rendered = render(golden);
        if (golden.has("rendered")) {
            assertThat(rendered).isEqualTo("= " + golden.get("rendered").textValue());
            return;
        }
        String[] error = golden.get("error").textValue().split(": ", 2);
        assertThat(rendered).startsWith("! ");
        if (SAME_WORDS.contains(error[0])) {
            assertThat(rendered).endsWith(error[1]);
        }
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void agreesWithJinja2OnExpressionsDrawnByChance(JsonNode golden) {
        String wanted = golden.has("rendered") ? "= " + golden.get("rendered").textValue() : "! ";
        String rendered = render(golden);
        assertThat(golden.has("rendered") ? rendered : rendered.substring(0, 2)).isEqualTo(wanted);
    }

    @Test
    void thereAreManyOfBothKinds() {
        assertThat(hand()).hasSizeGreaterThan(120);
        assertThat(drawn()).hasSizeGreaterThan(500);
    }

    private static String render(JsonNode golden) {
        try {
            ChatTemplate template = ChatTemplate.parse(golden.get("template").textValue());
            return "= " + template.render(ChatInput.of(List.of()).withVariables(VARIABLES));
        } catch (ServiceException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.INVALID_TEMPLATE);
            return "! " + e.detail();
        }
    }
}
