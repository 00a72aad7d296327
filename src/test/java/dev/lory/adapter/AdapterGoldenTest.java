package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.ReferenceBackend;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every case of every model in {@code fixtures/models}: what transformers and PEFT give, or a refusal that says why. */
final class AdapterGoldenTest {
    /** The cases that are refused, and what the refusal must say. A case that is not here must be exact. */
    private static final Map<String, String> REFUSED = Map.of(
            "llama/adapter.dora", "use_dora = true",
            "llama/adapter.head", "base_model.model.lm_head.lora_A.weight is for no linear that the base model has");

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
                assertExact(fixture, name);
            } else {
                assertThatThrownBy(() -> fixture.adapters(name))
                        .isInstanceOf(ServiceException.class)
                        .satisfies(
                                e -> assertThat(((ServiceException) e).code()).isEqualTo(ErrorCode.INVALID_ADAPTER))
                        .hasMessageContaining(reason);
            }
        }
    }

    private static void assertExact(ModelFixture fixture, String name) {
        AdapterSet adapters = fixture.adapters(name);
        for (int prompt = 0; prompt < fixture.prompts().size(); prompt++) {
            ModelFixture.Output output = fixture.run(List.of(fixture.prompts().get(prompt)), List.of(adapters))
                    .getFirst();
            List<float[]> expected = fixture.expectedLogits(name, prompt);
            int first = output.logits.size() - expected.size();
            for (int row = 0; row < expected.size(); row++) {
                assertThat(output.logits.get(first + row))
                        .as("prompt %d, logits of row %d", prompt, first + row)
                        .containsExactly(expected.get(row), within((float) fixture.tolerance()));
            }
            if (fixture.margin(name, prompt) > 2 * fixture.tolerance()) {
                assertThat(output.greedy).as("prompt %d", prompt).isEqualTo(fixture.expectedGreedy(name, prompt));
            }
        }
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
