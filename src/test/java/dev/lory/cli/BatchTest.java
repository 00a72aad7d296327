package dev.lory.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final StringWriter told = new StringWriter();

    private List<JsonNode> answers(Batch.Protocol protocol, int inFlight, List<String> lines) throws Exception {
        StringWriter out = new StringWriter();
        new Batch(protocol, inFlight, new Progress(new PrintWriter(told), false, lines.size()))
                .run(lines.iterator(), out);
        List<JsonNode> answers = new ArrayList<>();
        for (String line : out.toString().split("\n")) {
            answers.add(JSON.readTree(line));
        }
        return answers;
    }

    /** Repeats the body. */
    private static Batch.Answer echo(String url, JsonNode body, String id) {
        return new Batch.Answer(200, body);
    }

    private static String line(int number) {
        return "{\"custom_id\":\"c%d\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"prompt\":\"p%d\"}}"
                .formatted(number, number);
    }

    @Test
    void answersComeInTheOrderOfTheInputThoughManyAreUnderWay() throws Exception {
        CountDownLatch allFour = new CountDownLatch(4);
        AtomicInteger together = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();

        List<JsonNode> answers = answers(
                (url, body, id) -> {
                    most.accumulateAndGet(together.incrementAndGet(), Math::max);
                    allFour.countDown();
                    await(allFour);
                    together.decrementAndGet();
                    return new Batch.Answer(200, body);
                },
                4,
                IntStream.range(0, 12).mapToObj(BatchTest::line).toList());

        assertThat(answers.stream().map(answer -> answer.get("custom_id").textValue()))
                .containsExactlyElementsOf(
                        IntStream.range(0, 12).mapToObj(i -> "c" + i).toList());
        assertThat(answers.get(7).at("/response/body/prompt").textValue()).isEqualTo("p7");
        assertThat(most).hasValue(4);
    }

    @Test
    void refusedRequestIsAResponseWithItsStatus() throws Exception {
        JsonNode refusal = JsonNodeFactory.instance.objectNode().put("message", "no such adapter");

        JsonNode answer = answers((url, body, id) -> new Batch.Answer(404, refusal), 1, List.of(line(1)))
                .getFirst();

        assertThat(answer.at("/response/status_code").intValue()).isEqualTo(404);
        assertThat(answer.at("/response/body")).isEqualTo(refusal);
        assertThat(answer.get("error").isNull()).isTrue();
        assertThat(told.toString()).contains("1/1 (100 %), 1 with errors");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
                    not json                                                                     | is not JSON
                    [1]                                                                          | must be a JSON object
                    {"method":"POST","url":"/v1/completions","body":{}}                          | custom_id must be a string but is missing
                    {"custom_id":7,"method":"POST","url":"/v1/completions","body":{}}            | custom_id must be a string but is 7
                    {"custom_id":"c","method":"GET","url":"/v1/models","body":{}}                | method must be POST but is "GET"
                    {"custom_id":"c","method":"POST","body":{}}                                  | url must be a string but is missing
                    {"custom_id":"c","method":"POST","url":"/v1/completions"}                    | body must be an object but is missing
                    {"custom_id":"c","method":"POST","url":"/v1/completions","body":[]}          | body must be an object but is []
                    {"custom_id":"c","method":"POST","url":"/v1/completions","body":{"stream":true}} | stream must not be true
                    """)
    void lineThatIsNoRequestIsAnErrorOfItsOwn(String line, String sentence) throws Exception {
        List<JsonNode> answers = answers(BatchTest::echo, 2, List.of(line, line(1)));

        assertThat(answers.get(0).get("response").isNull()).isTrue();
        assertThat(answers.get(0).at("/error/code").textValue()).isEqualTo("invalid_request");
        assertThat(answers.get(0).at("/error/message").textValue()).contains(sentence);
        assertThat(answers.get(1).at("/response/status_code").intValue()).isEqualTo(200);
    }

    @Test
    void secondUseOfACustomIdIsAnError() throws Exception {
        List<JsonNode> answers = answers(BatchTest::echo, 2, List.of(line(1), line(1)));

        assertThat(answers.get(0).get("error").isNull()).isTrue();
        assertThat(answers.get(1).at("/error/message").textValue()).contains("`c1` is on an earlier line");
    }

    @Test
    void blankLinesArePassedOver() throws Exception {
        assertThat(answers(BatchTest::echo, 2, List.of("", line(1), "   "))).hasSize(1);
    }

    @Test
    void progressTellsEachTenthOnce() {
        Progress progress = new Progress(new PrintWriter(told), false, 40);
        IntStream.range(0, 40).forEach(i -> progress.advance(true));

        assertThat(told.toString().lines()).hasSize(10).first().isEqualTo("4/40 (10 %)");
    }

    @Test
    void progressOnATerminalIsABar() throws IOException {
        Progress progress = new Progress(new PrintWriter(told), true, 2);
        progress.advance(true);

        assertThat(told.toString()).isEqualTo("\r[" + "#".repeat(20) + " ".repeat(20) + "] 1/2 (50 %)");
        progress.advance(false);
        progress.finish();
        assertThat(Stream.of(told.toString().split("\r")).toList().getLast())
                .startsWith("[" + "#".repeat(40) + "] 2/2 (100 %), 1 with errors in ");
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
