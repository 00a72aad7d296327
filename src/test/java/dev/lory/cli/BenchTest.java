package dev.lory.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.lory.cli.BenchRun.Sample;
import dev.lory.error.ServiceException;
import dev.lory.worker.GenerationRequest;
import dev.lory.worker.Prompt;
import dev.lory.worker.Roofline;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BenchTest {
    private static final BenchRun.Row BASE = BenchRun.Row.of(List.of());
    private static final BenchRun.Row MATH = BenchRun.Row.of(List.of("math"));

    @Test
    void distributionsSpreadABatchAsTheirNamesSay() {
        int base = Distribution.BASE;

        assertThat(Distribution.DISTINCT.rows(4)).containsExactly(0, 1, 2, 3);
        assertThat(Distribution.UNIFORM.rows(6)).containsExactly(0, 1, 2, 0, 1, 2);
        assertThat(Distribution.SKEWED.rows(10)).containsExactly(0, 1, 2, 2, 3, 3, 3, 4, 4, 4);
        assertThat(Distribution.IDENTICAL.rows(3)).containsExactly(0, 0, 0);
        assertThat(Distribution.MIXED.rows(4)).containsExactly(0, base, 0, base);
        assertThat(Distribution.IDLE.rows(2)).containsExactly(base, base);
    }

    @Test
    void anXLoraIsMeasuredBesideTheSumOfTheAdapters() {
        Path models = Path.of("models/adapters");
        Map<String, Path> given = Map.of("math", models.resolve("math"), "xlora", models.resolve("xlora"));

        BenchCases cases = new BenchCases(given, List.of("sum", "frozen", "skewed"), 4);

        assertThat(cases.cases()).extracting(BenchCases.Case::name).containsExactly("base", "skewed", "sum", "frozen");
        assertThat(cases.cases().getLast().rows())
                .hasSize(4)
                .allMatch(row -> row.adapters().getFirst().name().equals("xlora")
                        && row.xlora().overrides().nonGranularIndex().orElse(0) == 1);
        assertThat(cases.slots()).containsOnlyKeys("math", "math#2", "math#3", "xlora");
        assertThat(new BenchCases(given, List.of(), 1).cases()).hasSize(10);
        List<BenchRun.Row> beside =
                new BenchCases(given, List.of("beside"), 4).cases().getLast().rows();
        assertThat(beside).extracting(BenchRun.Row::counts).containsExactly(true, true, false, false);
        assertThat(beside).extracting(row -> row.adapters().size()).containsExactly(0, 0, 1, 1);
    }

    @Test
    void anotherProgramIsMeasuredByItsLastLine() {
        BenchPeer peer = new BenchPeer(
                "echo warming up; echo '{\"engine\": \"other\", \"prefill_tok_s\": {prompt}, \"decode_tok_s\": 2.5}'",
                Map.of("prompt", 64));

        peer.measure();
        peer.measure();

        assertThat(peer.result())
                .isEqualTo(new BenchResult("other", List.of(new Sample(64, 2.5), new Sample(64, 2.5))));
    }

    @Test
    void anotherProgramThatFailsOrSaysSomethingElseIsNamed() {
        Map.of(
                        "exit 3", "ended with status 3",
                        "echo hello", "printed no JSON but: hello",
                        "echo '{\"prefill_tok_s\": 1}'", "printed no decode_tok_s but: {\"prefill_tok_s\":1}")
                .forEach((command, sentence) -> assertThatThrownBy(() -> new BenchPeer(command, Map.of()).measure())
                        .isInstanceOf(ServiceException.class)
                        .hasMessageContaining("--compare " + command + " " + sentence));
    }

    @Test
    void theBaseIsSetAgainstTheMachineAndOtherPrograms() throws JsonProcessingException {
        StringWriter lines = new StringWriter();
        StringWriter table = new StringWriter();
        BenchResult base = new BenchResult("base", List.of(new Sample(300, 30)));
        BenchResult other = new BenchResult("other", List.of(new Sample(200, 10)));

        new BenchReport(List.of(base), List.of(other), new Roofline(50e9, 1e12, 1_000_000_000, 2_000_000_000), Map.of())
                .print(new PrintWriter(lines), new PrintWriter(table));

        assertThat(lines.toString()).contains("\"prefill_limit_tok_s\":500.0", "\"decode_limit_tok_s\":50.0");
        assertThat(table.toString())
                .contains(
                        "base / other: prefill 1.50, decode 3.00",
                        "prefill at most 500 tok/s, base 60 %",
                        "decode of one sequence at most 50 tok/s, base 60 %");
    }

    @Test
    void everyRowHasItsOwnPromptAndGoesPastTheEndToken() {
        FakeWorker worker = new FakeWorker();

        new BenchRun(worker, 20, 5, 1).measure(List.of(BASE, MATH, MATH));

        assertThat(worker.requests).hasSize(3).allSatisfy(request -> {
            assertThat(request.sampling().ignoreEos()).isTrue();
            assertThat(request.sampling().isGreedy()).isTrue();
            assertThat(request.sampling().maxTokens()).hasValue(5);
        });
        assertThat(new HashSet<>(worker.requests.stream()
                        .map(GenerationRequest::prompt)
                        .map(prompt -> ((Prompt.Tokens) prompt).ids())
                        .toList()))
                .hasSize(3)
                .allSatisfy(ids -> assertThat(ids)
                        .hasSize(20)
                        .allMatch(id -> id >= 0 && id < worker.status().model().vocabSize()));
        assertThat(worker.requests.stream().map(GenerationRequest::adapters).map(List::size))
                .containsExactlyInAnyOrder(0, 1, 1);
    }

    @Test
    void speedsAreTokensOverTheTimeOfTheirPhase() {
        FakeWorker worker = new FakeWorker();
        worker.millisToFirst = 200;
        worker.millisToNext = 20;

        Sample sample = new BenchRun(worker, 100, 11, 1).measure(List.of(BASE));

        // A busy machine only makes waits longer, so the upper bound is sharp and the lower one is not.
        assertThat(sample.prefill()).isBetween(100 / 2.0, 100 / 0.199);
        assertThat(sample.decode()).isBetween(10 / 2.0, 10 / 0.199);
    }

    @Test
    void cachedPromptSpoilsTheMeasurement() {
        FakeWorker worker = new FakeWorker();
        worker.cached = 16;

        assertThatThrownBy(() -> new BenchRun(worker, 20, 5, 1).measure(List.of(BASE)))
                .isInstanceOf(ServiceException.class)
                .hasMessageContaining("prefix cache");
    }

    @Test
    void rowThatEndsEarlySpoilsTheMeasurement() {
        FakeWorker worker = new FakeWorker();
        worker.tokensAtMost = 4;

        assertThatThrownBy(() -> new BenchRun(worker, 20, 5, 1).measure(List.of(BASE)))
                .isInstanceOf(ServiceException.class)
                .hasMessageContaining("4 tokens, 5 were wanted");
    }

    @Test
    void ratiosCompareWithinARepetition() {
        BenchResult base =
                new BenchResult("base", List.of(new Sample(100, 10), new Sample(200, 20), new Sample(50, 5)));
        BenchResult half =
                new BenchResult("mixed", List.of(new Sample(50, 5), new Sample(100, 10), new Sample(25, 2.5)));

        assertThat(half.ratioTo(base, Sample::decode)).isEqualTo(0.5);
        assertThat(half.prefill()).isEqualTo(50);
        assertThat(base.spread()).isCloseTo(150, within(1e-9));
        assertThat(half.json(Map.of("batch", 1), base))
                .containsEntry("case", "mixed")
                .containsEntry("decode_tok_s", 5.0)
                .containsEntry("prefill_ratio_to_base", 0.5)
                .containsEntry("batch", 1)
                .containsKey("samples");
    }

    @Test
    void medianOfAnEvenNumberIsTheMiddle() {
        assertThat(BenchResult.median(4, 1, 3, 2)).isEqualTo(2.5);
        assertThat(BenchResult.median(3, 1, 2)).isEqualTo(2);
    }
}
