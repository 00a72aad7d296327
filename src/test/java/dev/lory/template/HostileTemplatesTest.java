package dev.lory.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates from strangers: refused in time, on a small stack, with a sentence. */
class HostileTemplatesTest {
    private static final int MEGABYTE = 1_000_000;
    private static final long SMALL_STACK = 512 * 1024;
    private static final Duration LONG = Duration.ofSeconds(20);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% if x %}",
                "{{",
                "{{ (",
                "{{ [",
                "{% for x in y %}",
                "{% macro m() %}",
                "{% set x %}",
                "{% filter upper %}",
                "{% generation %}",
                "{{ x.y(",
                "{% raw %}",
                "{#",
                "{% ",
                "{{ 'a"
            })
    void refusesAMegabyteOfOpenTags(String tag) {
        assertThat(outcome(tag.repeat(MEGABYTE / tag.length()))).matches("(?s)chat template, line 1: .*");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[", "{1:", "not ", "- ", "+", "x if x else ", "x(", "x[", "x|join(", "(x for "})
    void refusesAMegabyteOfNestedExpression(String part) {
        assertThat(outcome("{{ " + part.repeat(MEGABYTE / part.length()) + " }}"))
                .matches("(?s)chat template, line 1: .*(nested deeper than 100|expected .*)");
    }

    @ParameterizedTest
    @CsvSource({
        "1, +1",
        "1, *1",
        "1, ~1",
        "1, ' or 1'",
        "1, ' and 1'",
        "1, ' < 1'",
        "'x', .x",
        "'', '|upper'",
        "1, 0",
        "x, x",
        "'a', ''' '''"
    })
    void neverOverflowsTheStackOnAMegabyteInARow(String first, String more) {
        String quoted = first.isEmpty() ? "''" : first.equals("a") ? "'a'" : first;
        assertThat(outcome("{{ " + quoted + more.repeat(MEGABYTE / more.length()) + " }}"))
                .matches("(?s)(rendered|chat template, line 1: .*)");
    }

    @Test
    void takesAMegabyteOfBranches() {
        assertThat(outcome("{% if x %}" + "{% elif x %}".repeat(80_000) + "{% endif %}"))
                .isEqualTo("rendered");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m(f) %}{{ f(f) }}{% endmacro %}{{ m(m) }}",
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
                "{% for a in range(100000) %}{% for b in range(100000) %}{{ 'xxxxxxxxxxxxxxxx' }}{% endfor %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s.replace('a', ns.s) %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s.join([ns.s, ns.s]) %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = '%s%s' % (ns.s, ns.s) %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = '{0}{0}'.format(ns.s) %}{% endfor %}",
                "{% set ns = namespace(s='<') %}{% for i in range(64) %}{% set ns.s = (ns.s ~ ns.s) | e %}{% endfor %}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(64) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(64) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
                "{% set ns = namespace(x=(1,)) %}{% for i in range(64) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{ {ns.x: 1} }}",
                "{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}",
                "{% set ns = namespace(x={}) %}{% for i in range(9999) %}{% set ns.x = {'a': ns.x} %}{% endfor %}{{ ns.x }}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(9999) %}{% set ns.x = ns.x | map('abs') %}{% endfor %}{{ ns.x | list }}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(9999) %}{% set ns.x = ns.x | select %}{% endfor %}{{ ns.x | list }}",
                "{% set ns = namespace(x=[[]]) %}{% for i in range(9999) %}"
                        + "{% set ns.x = [namespace(x=ns.x)] | map(attribute='x') | map('list') %}{% endfor %}{{ ns.x | list }}",
                "{% set ns = namespace(n=10) %}{% for i in range(64) %}{% set ns.n = ns.n * ns.n %}{% endfor %}{{ ns.n }}",
                "{{ 10 ** (10 ** 10) }}",
                "{{ 'a' * 10 ** 12 }}",
                "{{ [1] * 10 ** 12 }}",
                "{{ '%999999999d' % 1 }}",
                "{{ '%.999999999f' % 1 }}",
                "{{ 'a'.center(10 ** 9) }}",
                "{{ 'a'.zfill(10 ** 9) }}",
                "{{ 'a' | center(2 ** 31) }}",
                "{{ [1] | batch(10 ** 9, 'x') | list }}",
                "{{ [1] | slice(10 ** 9) | list }}",
                "{{ range(10 ** 12) }}",
                "{{ range(100000) | list | map('string') | map('center', 100000) | join | length }}",
                "{% for i in range(100000) %}{{ range(100000) | list | length }}{% endfor %}",
                "{% for i in range(100000) %}{{ range(100000) | sum }}{% endfor %}",
                "{% set s = 'a b ' * 1000000 %}{% for i in range(100000) %}{% set x = s.split() %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = s | upper %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = 'b' in s %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = s.find('b') %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = s | length %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = s[5] %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = s.startswith('b') %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = s == s ~ '' %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = s | wordcount %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = s is lower %}{% endfor %}",
                "{% set s = '1' * 9000000 %}{% for i in range(100000) %}{% set x = s | int %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% for i in range(100000) %}{% set x = s.strip('b' ~ s) %}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% set n = 'a' * 4000000 ~ 'b' %}{% for i in range(100000) %}{{ n in s }}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% set n = 'b' ~ 'a' * 4000000 %}{% for i in range(100000) %}{{ s.rfind(n) }}{% endfor %}",
                "{% set s = 'a' * 9000000 %}{% set n = 'a' * 4000000 ~ 'b' %}{% for i in range(100000) %}{{ s.split(n) }}{% endfor %}",
                "{% set s = '%s' * 4000000 %}{{ s % 1 }}",
                "{% set s = '{}' * 4000000 %}{{ s.format(1) }}"
            })
    void stopsWhatWouldTakeTooMuch(String template) {
        assertThat(outcome(template)).startsWith("chat template, line 1: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ '{:999999999}'.format(1) }}",
                "{{ '{:99999}'.format(1) }}",
                "{% for i in range(100000) %}{{ range(100000) | groupby('a', 1) | length }}{% endfor %}"
            })
    void stopsWideFieldsAndManyGroups(String template) {
        assertThat(outcome(template)).startsWith("chat template, line 1: ");
    }

    @Test
    void refusesMessagesNestedTooDeeply() {
        Object value = "x";
        for (int i = 0; i < 100_000; i++) {
            value = i % 2 == 0 ? List.of(value) : Map.of("a", value);
        }
        Map<String, @Nullable Object> message = Map.of("role", "user", "content", value);

        assertThat(onSmallStack(() -> ChatTemplate.parse("{{ messages }}").render(ChatInput.of(List.of(message)))))
                .isEqualTo("chat template: messages or tools are nested deeper than 100");
    }

    @Test
    void staysFastWhenKeysCollide() {
        List<String> keys = new ArrayList<>(List.of(""));
        for (int bits = 0; bits < 15; bits++) {
            List<String> longer = new ArrayList<>();
            keys.forEach(k -> longer.addAll(List.of(k + "Aa", k + "BB")));
            keys = longer;
        }
        Map<String, @Nullable Object> message = new HashMap<>(Map.of("role", "user"));
        keys.forEach(k -> message.put(k, 1));
        assertThat(keys.stream().map(String::hashCode).distinct()).hasSize(1);

        assertThat(ChatTemplate.parse("{{ messages[0] | length }}").render(ChatInput.of(List.of(message))))
                .isEqualTo("32769");
    }

    @Test
    void rendersAConversationOfAMillionWords() {
        List<Map<String, @Nullable Object>> messages = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            messages.add(Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "word ".repeat(1000)));
        }
        ChatTemplate template = ChatTemplate.parse(
                TemplateFixtures.read("namespace-thinking.json").get("template").textValue());

        assertThat(template.render(ChatInput.of(messages).withTokens(Map.of("bos_token", "", "eos_token", "</s>"))))
                .hasSizeGreaterThan(5_000_000);
    }

    private static String outcome(String template) {
        return onSmallStack(() -> ChatTemplate.parse(template).render(ChatInput.of(List.of())));
    }

    /** "rendered", or the sentence of the refusal. */
    private static String onSmallStack(Runnable work) {
        AtomicReference<Object> outcome = new AtomicReference<>("not finished in " + LONG);
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        work.run();
                        outcome.set("rendered");
                    } catch (ServiceException e) {
                        outcome.set(e.code() == ErrorCode.INVALID_TEMPLATE ? e.detail() : e);
                    } catch (Throwable e) {
                        outcome.set(e);
                    }
                },
                "hostile",
                SMALL_STACK);
        thread.setDaemon(true);
        thread.start();
        try {
            thread.join(LONG);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return outcome.get().toString();
    }
}
