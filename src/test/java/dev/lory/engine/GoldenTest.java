package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.sampling.SamplingParams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The demo model and its adapters against transformers and PEFT, as golden.json has their greedy tokens. */
final class GoldenTest {
    private static final List<String> MODES = List.of("base", "math", "reasoning", "biology", "sum");

    /** All prompts in all modes at once, so this also shows that one batch mixes base rows, adapters and sets. */
    @Test
    void theReferenceGivesTheTokensOfTransformersAndPeft() {
        JsonNode golden = DemoModel.golden();
        SamplingParams params =
                SamplingParams.greedy(golden.get("max_new_tokens").asInt());
        try (DemoModel model = new DemoModel(new ReferenceBackend(), new EngineOptions(64, 100, 512, 1024, 16))) {
            Map<String, RecordingSink> sinks = new LinkedHashMap<>();
            for (String mode : MODES) {
                for (JsonNode expected : golden.get("modes").get(mode)) {
                    int prompt = expected.get("prompt").asInt();
                    int[] ids = DemoModel.ids(golden.get("prompts").get(prompt).get("token_ids"));
                    sinks.put(mode + prompt, model.start(ids, model.mode(mode), params));
                }
            }
            for (String mode : MODES) {
                for (JsonNode expected : golden.get("modes").get(mode)) {
                    int prompt = expected.get("prompt").asInt();
                    RecordingSink sink = Objects.requireNonNull(sinks.get(mode + prompt));
                    List<Integer> tokens = new ArrayList<>();
                    for (int id : DemoModel.ids(expected.get("tokens"))) {
                        tokens.add(id);
                    }
                    if (expected.get("finish").asText().equals("stop")) {
                        tokens.add(DemoModel.END);
                    }
                    assertThat(sink.tokens()).as("%s, prompt %d", mode, prompt).isEqualTo(tokens);
                }
            }
        }
    }
}
