package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.kernel.cpu.CpuBackend;
import dev.lory.kernel.cpu.Kernels;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every case of every model in {@code fixtures/models}: what transformers and PEFT give, or a refusal that says why. */
final class AdapterGoldenTest {
    /** The cases that are refused, and what the refusal must say. A case that is not here must be exact. */
    private static final Map<String, String> REFUSED = Map.of();

    /** How far logits may be off where keys and values are rounded to F16. */
    private static final double HALF_PRECISION_CACHE = 0.01;

    static Stream<String> models() {
        return ModelFixture.names().stream();
    }

    static Stream<Arguments> cases() {
        return models().flatMap(model -> ModelFixture.cases(model).stream().map(name -> Arguments.of(model, name)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isWhatPeftGivesOrRefusedWithTheReason(String model, String name) {
        try (ModelFixture fixture = new ModelFixture(model, new ReferenceBackend())) {
            String reason = REFUSED.get(model + "/" + name);
            if (reason == null) {
                assertGolden(fixture, name, fixture.tolerance());
            } else {
                assertThatThrownBy(() -> fixture.adapters(name))
                        .isInstanceOf(ServiceException.class)
                        .satisfies(
                                e -> assertThat(((ServiceException) e).code()).isEqualTo(ErrorCode.INVALID_ADAPTER))
                        .hasMessageContaining(reason);
            }
        }
    }

    /** The models that need Llama's operations only, with keys and values in F16 as that backend has them. */
    @ParameterizedTest
    @ValueSource(strings = {"llama", "llama-embed"})
    void theCpuBackendAgrees(String model) {
        for (Kernels kernels : List.of(Kernels.VECTOR, Kernels.AUTO)) {
            try (ModelFixture fixture = new ModelFixture(model, new CpuBackend(2, kernels))) {
                for (String name : ModelFixture.cases(model)) {
                    if (!REFUSED.containsKey(model + "/" + name)) {
                        assertGolden(fixture, name, HALF_PRECISION_CACHE);
                    }
                }
            }
        }
    }

    private static void assertGolden(ModelFixture fixture, String name, double tolerance) {
        AdapterSet adapters = fixture.adapters(name);
        for (int prompt = 0; prompt < fixture.prompts().size(); prompt++) {
            ModelFixture.Output output = fixture.run(List.of(fixture.prompts().get(prompt)), List.of(adapters))
                    .getFirst();
            List<float[]> expected = fixture.expectedLogits(name, prompt);
            int first = output.logits.size() - expected.size();
            for (int row = 0; row < expected.size(); row++) {
                assertThat(difference(output.logits.get(first + row), expected.get(row)))
                        .as("%s, prompt %d, logits of row %d", name, prompt, first + row)
                        .isLessThan(tolerance);
            }
            if (fixture.margin(name, prompt) > 2 * tolerance) {
                assertThat(output.greedy)
                        .as("%s, prompt %d", name, prompt)
                        .isEqualTo(fixture.expectedGreedy(name, prompt));
            }
        }
    }

    private static double difference(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double largest = 0;
        for (int i = 0; i < actual.length; i++) {
            double difference = Math.abs((double) actual[i] - expected[i]);
            largest = difference <= largest ? largest : difference; // a NaN stays
        }
        return largest;
    }

    /** Base rows, single adapters and mixtures in the same steps. */
    @ParameterizedTest
    @MethodSource("models")
    void aMixedBatchGivesTheSameBitsAsEachCaseAlone(String model) {
        try (ModelFixture fixture = new ModelFixture(model, new ReferenceBackend())) {
            List<int[]> prompts = new ArrayList<>();
            List<AdapterSet> sets = new ArrayList<>();
            for (String name : ModelFixture.cases(model)) {
                if (!REFUSED.containsKey(model + "/" + name)) {
                    prompts.addAll(fixture.prompts());
                    sets.addAll(Collections.nCopies(fixture.prompts().size(), fixture.adapters(name)));
                }
            }
            List<ModelFixture.Output> together = fixture.run(prompts, sets);
            for (int i = 0; i < prompts.size(); i++) {
                ModelFixture.Output alone = fixture.run(List.of(prompts.get(i)), List.of(sets.get(i)))
                        .getFirst();
                ModelFixture.Output mixed = Objects.requireNonNull(together.get(i));
                assertThat(mixed.greedy).isEqualTo(alone.greedy);
                for (int row = 0; row < alone.logits.size(); row++) {
                    assertThat(mixed.logits.get(row)).containsExactly(alone.logits.get(row));
                }
            }
        }
    }
}
