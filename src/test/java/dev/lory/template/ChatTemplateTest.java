package dev.lory.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatTemplateTest {
    private static final List<Map<String, @Nullable Object>> HI = List.of(Map.of("role", "user", "content", "Hi"));

    @Test
    void givesTheTemplateItsNames() {
        ChatTemplate template = ChatTemplate.parse(
                "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ add_generation_prompt }}{{ tools }}{{ documents }}{{ mode }}");

        assertThat(template.render(ChatInput.of(HI))).isEqualTo("HiTrueNoneNone");
        assertThat(template.render(ChatInput.of(HI)
                        .withTokens(Map.of("bos_token", "<s>", "eos_token", "</s>"))
                        .withGenerationPrompt(false)
                        .withTools(List.of(Map.of("name", "f")))
                        .withVariables(Map.of("mode", "fast", "bos_token", "<bos>"))))
                .isEqualTo("<bos>Hi</s>False[{'name': 'f'}]Nonefast");
    }

    @Test
    void takesNullForNone() {
        Map<String, @Nullable Object> call = new HashMap<>();
        call.put("role", "assistant");
        call.put("content", null);

        assertThat(ChatTemplate.parse(
                                "{{ messages[0].content is none }}{{ messages | map(attribute='content') | list }}")
                        .render(ChatInput.of(List.of(call))))
                .isEqualTo("True[None]");
    }

    @Test
    void refusesVariablesThatAreFieldsOfTheRequest() {
        assertThatThrownBy(() -> ChatInput.of(HI).withVariables(Map.of("messages", List.of())))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                .hasMessageContaining("'messages'");
    }

    @Test
    void refusesWhatIsNoJsonValue() {
        List<Map<String, @Nullable Object>> messages = List.of(Map.of("role", "user", "content", Instant.EPOCH));

        assertThat(refusal("{{ messages }}", ChatInput.of(messages)))
                .isEqualTo("chat template: messages hold a Instant, which is no JSON value");
    }

    @Test
    void passesOnTheTemplatesOwnWords() {
        assertThat(refusal("\n{{ raise_exception('Only ' ~ 1 ~ ' system message, please') }}", ChatInput.of(HI)))
                .isEqualTo("Only 1 system message, please");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '@', ignoreLeadingAndTrailingWhitespace = true, textBlock = """
            a|{{ 1 2 }} @ line 2: expected '}}', found integer '2'
            |{% if x %}||{% else %}| @ line 4: the template ends inside 'if' of line 2; expected endif
            {% for x in y %}|{% endif %} @ line 2: unknown tag 'endif' inside 'for' of line 1
            {% include 'a' %} @ line 1: the tag 'include' is not supported: a chat template stands alone
            |{% do x.y() %} @ line 2: unknown tag 'do'
            {% macro m(a, a) %}{% endmacro %} @ line 1: parameter 'a' comes twice
            {% block b %}{% endblock %}|{% block b %}{% endblock %} @ line 2: block 'b' comes twice
            |{% break %} @ line 2: 'break' stands outside a loop
            {# a|b @ line 1: the comment has no end '#}'
            |{% raw %} @ line 2: the raw block has no end '{% endraw %}'
            |{{ (1] }} @ line 2: unexpected ']', expected ')'
            |{{ 'a }} @ line 2: the string that begins with 'a }} has no end
            |{{ a ? b }} @ line 2: unexpected character '?'
            {%- if a -%}||{{ x#upper }} @ line 3: unexpected character '#'
            |{{ }} @ line 2: expected an expression, found '}}'
            |{% set 5 = x %} @ line 2: expected a name, found integer '5'
            |{% set true = x %} @ line 2: 'true' cannot be assigned to
            |{% macro m(a=1, b) %}{% endmacro %} @ line 2: parameter 'b' needs a default, as the one before has
            |{{ f(a=1, 2) }} @ line 2: expected a named argument, found integer '2'
            |{% call x %}{% endcall %} @ line 2: 'call' needs the call of a macro
            |{{ x is odd is even }} @ line 2: tests with 'is' cannot be chained
            """)
    void saysWhereATemplateIsWrong(String template, String problem) {
        assertThatThrownBy(() -> ChatTemplate.parse(template.replace('|', '\n')))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_TEMPLATE))
                .hasMessage("chat template, " + problem);
    }

    @Test
    void saysWhichFilterOrTestIsMissing() {
        assertThatThrownBy(() -> ChatTemplate.parse("\n{{ 'a' | shout }}"))
                .hasMessage("chat template, line 2: there is no filter named 'shout'");
        assertThatThrownBy(() -> ChatTemplate.parse("{{ 'a' | wordwrap }}"))
                .hasMessage(
                        "chat template, line 1: the filter 'wordwrap' is not supported: a prompt is neither HTML nor random");
        assertThat(refusal("{{ lipsum() }}", ChatInput.of(HI)))
                .isEqualTo("chat template, line 1: lipsum() is not supported: a prompt must not be random");
        assertThatThrownBy(() -> ChatTemplate.parse("\n{{ 'a' is loud }}"))
                .hasMessage("chat template, line 2: there is no test named 'loud'");
        assertThat(refusal("{% if true %}\n{{ 'a' | shout }}{% endif %}", ChatInput.of(HI)))
                .isEqualTo("chat template, line 2: there is no filter named 'shout'");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '@', ignoreLeadingAndTrailingWhitespace = true, textBlock = """
            |{{ messages[3].role }} @ line 2: list object has no element 3
            |{% if messages[0].tool.name %}{% endif %} @ line 2: 'dict object' has no attribute 'tool'
            {% for m in messages %}||{{ 'a' + m }}{% endfor %} @ line 3: can only concatenate str (not "dict") to str
            {% macro m(x) %}|{{ x.y.z }}{% endmacro %}||{{ m({}) }} @ line 2: 'dict object' has no attribute 'y'
            |{% set x %}|{{ nothing.here }}{% endset %} @ line 3: 'nothing' is undefined
            |{{ messages.append(1) }} @ line 2: access to attribute 'append' of 'list' object is unsafe.
            """)
    void saysWhereRenderingStopped(String template, String problem) {
        assertThat(refusal(template.replace('|', '\n'), ChatInput.of(HI))).isEqualTo("chat template, " + problem);
    }

    @ParameterizedTest
    @CsvSource({
        "messages ^ map(attribute='role'), generator",
        "messages[0].items, builtin_function_or_method",
        "namespace(), jinja2.utils.Namespace",
        "range(3), range"
    })
    void refusesToPrintWhatPythonPrintsAsAnAddress(String expression, String type) {
        assertThat(refusal("{{ " + expression.replace('^', '|') + " }}", ChatInput.of(HI)))
                .isEqualTo("chat template, line 1: a " + type + " cannot be printed (is '| list' or a call missing?)");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '@', textBlock = """
            %d %b %Y @ 04 Jul 2026 @ 29 Dec 2025
            %A %a %B %h @ Saturday Sat July Jul @ Monday Mon December Dec
            %H:%M:%S %I %p %P %k %l @ 09:05:03 09 AM am  9  9 @ 23:59:00 11 PM pm 23 11
            %j %U %W %V %G %g %u %w @ 185 26 26 27 2026 26 6 6 @ 363 52 52 01 2026 26 1 1
            %y %C %D %F %T %R %r @ 26 20 07/04/26 2026-07-04 09:05:03 09:05 09:05:03 AM @ 25 20 12/29/25 2025-12-29 23:59:00 23:59 11:59:00 PM
            %x %X %c %e. @ 07/04/26 09:05:03 Sat Jul  4 09:05:03 2026  4. @ 12/29/25 23:59:00 Mon Dec 29 23:59:00 2025 29.
            %-d/%-m %-H %-I %-j %% %f %s %z @ 4/7 9 9 185 % 000042 1783155903 +0000 @ 29/12 23 11 363 % 000000 1767052740 +0000
            """)
    void tellsTheTimeAsStrftimeDoes(String format, String summer, String winter) {
        ChatTemplate template = ChatTemplate.parse("{{ strftime_now('" + format.strip() + "') }}");

        assertThat(template.render(at("2026-07-04T09:05:03.000042Z"))).isEqualTo(summer.strip());
        assertThat(template.render(at("2025-12-29T23:59:00Z"))).isEqualTo(winter.strip());
    }

    @Test
    void rendersForManyThreadsAtOnce() {
        ChatTemplate template = ChatTemplate.parse(
                "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + m.content %}{% endfor %}{{ ns.n }}");

        List<String> sums = IntStream.range(0, 200)
                .parallel()
                .mapToObj(i -> template.render(ChatInput.of(List.of(Map.of("content", i), Map.of("content", 1)))))
                .toList();

        assertThat(sums)
                .isEqualTo(IntStream.range(1, 201).mapToObj(Integer::toString).toList());
    }

    @Test
    void keepsTheMessagesItWasGiven() {
        List<Map<String, @Nullable Object>> messages = new ArrayList<>(HI);
        ChatInput input = ChatInput.of(messages);
        messages.clear();

        assertThat(ChatTemplate.parse("{{ messages | length }}").render(input)).isEqualTo("1");
    }

    private static ChatInput at(String instant) {
        return ChatInput.of(HI).withClock(Clock.fixed(Instant.parse(instant), ZoneOffset.UTC));
    }

    private static String refusal(String template, ChatInput input) {
        ChatTemplate parsed = ChatTemplate.parse(template);
        try {
            return "rendered: " + parsed.render(input);
        } catch (ServiceException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.INVALID_TEMPLATE);
            return e.detail();
        }
    }
}
