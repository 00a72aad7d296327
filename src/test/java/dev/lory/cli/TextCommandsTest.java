package dev.lory.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** {@code lory tokenize} and {@code lory template}: lines of JSON in, lines of JSON out. */
class TextCommandsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Path TOKENIZER = FIXTURES.resolve("tokenizers/llama3-style");

    @TempDir
    Path folder;

    private final StringWriter told = new StringWriter();

    private int run(String... arguments) {
        CommandLine line = Lory.commandLine();
        line.setOut(new PrintWriter(told)).setErr(new PrintWriter(told));
        return line.execute(arguments);
    }

    private List<JsonNode> answers(List<String> lines, String... command) throws IOException {
        Path input = Files.write(folder.resolve("in.jsonl"), lines);
        Path output = folder.resolve("out.jsonl");
        List<String> arguments = new ArrayList<>(List.of(command));
        arguments.addAll(List.of("-i", input.toString(), "-o", output.toString()));
        assertThat(run(arguments.toArray(String[]::new))).as("%s", told).isZero();
        List<JsonNode> answers = new ArrayList<>();
        for (String line : Files.readAllLines(output)) {
            answers.add(JSON.readTree(line));
        }
        return answers;
    }

    private List<JsonNode> tokenize(List<String> lines) throws IOException {
        return answers(lines, "tokenize", "--tokenizer", TOKENIZER.toString());
    }

    private Path template(String source) throws IOException {
        return Files.writeString(folder.resolve("template.jinja"), source);
    }

    @Test
    void tokenizesEveryStringAsTheReferenceDoes() throws IOException {
        JsonNode golden = JSON.readTree(TOKENIZER.resolve("golden.json").toFile());
        List<String> lines = new ArrayList<>();
        for (JsonNode row : golden) {
            ObjectNode line =
                    JSON.createObjectNode().put("text", row.get("text").textValue());
            lines.add(line.put("add_special_tokens", false)
                    .put("parse_special", false)
                    .toString());
            lines.add(line.put("parse_special", true).toString());
            lines.add(line.put("add_special_tokens", true).toString());
        }
        List<JsonNode> answers = tokenize(lines);
        assertThat(answers).hasSize(3 * golden.size());
        for (int i = 0; i < golden.size(); i++) {
            assertThat(answers.get(3 * i).get("ids")).isEqualTo(golden.get(i).get("ids"));
            assertThat(answers.get(3 * i + 1).get("ids"))
                    .isEqualTo(golden.get(i).get("ids_special"));
            assertThat(answers.get(3 * i + 1).get("decoded"))
                    .isEqualTo(golden.get(i).get("decoded"));
            assertThat(answers.get(3 * i + 2).get("ids"))
                    .isEqualTo(golden.get(i).get("ids_bos"));
        }
    }

    @Test
    void addsAndParsesSpecialTokensUnlessToldNotTo() throws IOException {
        List<JsonNode> answers = tokenize(List.of("{\"text\":\"<|eot_id|>\"}"));
        assertThat(answers).singleElement().hasToString("{\"ids\":[0,4],\"decoded\":\"<|begin_of_text|><|eot_id|>\"}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "not json | is not JSON",
                "[1] | must be a JSON object but is [1]",
                "{} | text is missing",
                "{\"text\":1} | text must be a string but is 1",
                "{\"text\":\"a\",\"parse_special\":\"yes\"} | parse_special must be true or false but is \"yes\"",
                "{\"text\":\"a\"} {} | is not JSON",
            })
    void lineThatCannotBeAnsweredIsAnErrorOfItsOwn(String line, String sentence) throws IOException {
        List<JsonNode> answers = tokenize(List.of(line, "", "{\"text\":\"a\"}"));
        assertThat(answers).hasSize(2);
        assertThat(answers.get(0).properties()).hasSize(1);
        assertThat(answers.get(0).path("error").textValue()).contains(sentence);
        assertThat(answers.get(1).get("decoded").textValue()).endsWith("a");
    }

    static Stream<Path> templates() throws IOException {
        try (Stream<Path> all = Files.list(FIXTURES.resolve("templates"))) {
            return all
                    .filter(file -> file.toString().endsWith(".json") && !file.endsWith("expressions.json"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("templates")
    void rendersOrRefusesEveryConversationAsTransformersDoes(Path set) throws IOException {
        JsonNode golden = JSON.readTree(set.toFile());
        List<String> lines = new ArrayList<>();
        for (JsonNode conversation : golden.get("cases")) {
            ObjectNode line = conversation.deepCopy();
            line.set("bos_token", golden.get("bos_token"));
            line.set("eos_token", golden.get("eos_token"));
            line.put("now", golden.get("date").textValue() + "T09:30:00");
            lines.add(line.toString());
        }
        Path template = template(golden.get("template").textValue());
        List<JsonNode> answers = answers(lines, "template", "--chat-template", template.toString());
        assertThat(answers).hasSize(lines.size());
        for (int i = 0; i < answers.size(); i++) {
            JsonNode conversation = golden.get("cases").get(i);
            if (conversation.has("rendered")) {
                assertThat(answers.get(i).get("prompt")).isEqualTo(conversation.get("rendered"));
            } else {
                String error = conversation.get("error").textValue();
                assertThat(answers.get(i).get("error").textValue()).endsWith(error.substring(error.indexOf(": ") + 2));
            }
        }
    }

    @Test
    void thereAreTwelveTemplates() throws IOException {
        assertThat(templates()).hasSizeGreaterThanOrEqualTo(12);
    }

    @ParameterizedTest
    @CsvSource({
        "2026-03-05, 2026-03-05 00:00+0000",
        "2026-03-05T09:30:00, 2026-03-05 09:30+0000",
        "2026-03-05T09:30:00.5Z, 2026-03-05 09:30+0000",
        "2026-03-05T09:30+02:00, 2026-03-05 09:30+0200"
    })
    void takesTheTimeFromTheLine(String now, String written) throws IOException {
        Path template = template("{{ strftime_now('%Y-%m-%d %H:%M%z') }}");
        List<JsonNode> answers = answers(
                List.of("{\"messages\":[],\"now\":\"" + now + "\"}"),
                "template",
                "--chat-template",
                template.toString());
        assertThat(answers.getFirst().path("prompt").textValue()).isEqualTo(written);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{} | messages is missing",
                "{\"messages\":{}} | messages must be an array but is {}",
                "{\"messages\":[1]} | messages[0] must be an object but is 1",
                "{\"messages\":[],\"tools\":[null]} | tools[0] must be an object but is null",
                "{\"messages\":[],\"now\":\"soon\"} | now must be a time",
                "{\"messages\":[],\"chat_template_kwargs\":[]} | chat_template_kwargs must be an object",
                "{\"messages\":[],\"chat_template_kwargs\":{\"messages\":1}} | must not name 'messages'",
                "{\"messages\":[]} | Nobody speaks.",
            })
    void conversationThatCannotBeRenderedIsAnErrorOfItsOwn(String line, String sentence) throws IOException {
        Path template = template("{{ raise_exception('Nobody speaks.') if not messages else mode }}");
        String good = "{\"messages\":[{\"role\":\"user\"}],\"chat_template_kwargs\":{\"mode\":\"fast\"}}";
        List<JsonNode> answers = answers(List.of(line, good), "template", "--chat-template", template.toString());
        assertThat(answers.get(0).path("error").textValue()).contains(sentence);
        assertThat(answers.get(1).path("prompt").textValue()).isEqualTo("fast");
    }

    @Test
    void eachLineIsAnsweredBeforeTheNextIsRead() throws IOException {
        StringWriter answers = new StringWriter();
        BufferedReader asking = new BufferedReader(new StringReader("")) {
            private int asked;

            @Override
            public @Nullable String readLine() {
                assertThat(answers.toString().lines()).hasSize(asked);
                return ++asked > 3 ? null : "{\"n\":" + asked + "}";
            }
        };
        JsonLines.answer(asking, answers, line -> line);
        assertThat(answers).hasToString("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tokenize --tokenizer does-not-exist | --tokenizer does-not-exist does not exist",
                "tokenize --tokenizer src/test/resources/fixtures/templates | holds no tokenizer.json, and no .gguf file",
                "tokenize --tokenizer src/test/resources/fixtures/templates/README.md | README.md: is no valid JSON",
                "tokenize --input does-not-exist | --input does-not-exist does not exist",
                "template | --chat-template",
                "template --chat-template x --no-such-flag | --no-such-flag",
                "template --chat-template does-not-exist | --chat-template does-not-exist does not exist",
                "template --chat-template src/test/resources/fixtures/templates | cannot be read as UTF-8 text",
            })
    void whatCannotBeUsedIsOneSentenceAndTwo(String command, String sentence) {
        assertThat(run(command.split(" "))).isEqualTo(2);
        assertThat(told.toString().lines())
                .singleElement()
                .asString()
                .startsWith("lory: ")
                .contains(sentence);
    }

    @Test
    void templateThatIsNoJinjaIsNamedWithItsLine() throws IOException {
        Path template = template("\n{% fro x in y %}");
        assertThat(run("template", "--chat-template", template.toString())).isEqualTo(2);
        assertThat(told).asString().contains(template + ": chat template, line 2: unknown tag 'fro'");
    }
}
