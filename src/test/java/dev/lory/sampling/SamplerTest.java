package dev.lory.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class SamplerTest {
    static List<JsonNode> cases() throws IOException {
        List<JsonNode> cases = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/fixtures/samplers"))) {
            for (Path file : files.sorted().toList()) {
                new ObjectMapper().readTree(file.toFile()).get("cases").forEach(cases::add);
            }
        }
        return cases;
    }

    private static float[] floats(JsonNode node) {
        float[] values = new float[node.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = node.get(i).isNull()
                    ? Float.NEGATIVE_INFINITY
                    : (float) node.get(i).asDouble();
        }
        return values;
    }

    private static double largest(float[] logits) {
        double largest = 0;
        for (float logit : logits) {
            largest = Math.max(largest, Float.isInfinite(logit) ? 0 : Math.abs(logit));
        }
        return largest;
    }

    private static SamplerState state(JsonNode fixture) {
        SamplingParams.Builder builder = SamplingParams.builder();
        JsonNode params = fixture.get("params");
        builder.temperature((float) params.get("temperature").asDouble())
                .topK(params.path("top_k").asInt(0))
                .topP((float) params.path("top_p").asDouble(1))
                .minP((float) params.path("min_p").asDouble(0))
                .repetitionPenalty((float) params.path("repetition_penalty").asDouble(1))
                .frequencyPenalty((float) params.path("frequency_penalty").asDouble(0))
                .presencePenalty((float) params.path("presence_penalty").asDouble(0));
        Map<Integer, Float> bias = new HashMap<>();
        params.path("logit_bias")
                .properties()
                .forEach(e -> bias.put(
                        Integer.parseInt(e.getKey()), (float) e.getValue().asDouble()));
        SamplerState state = new SamplerState(builder.logitBias(bias).build(), 1, 100, new int[0]);
        fixture.get("prompt").forEach(t -> state.seenInPrompt(t.asInt()));
        fixture.get("output").forEach(t -> state.generated(t.asInt()));
        return state;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void givesTheExactDistribution(JsonNode fixture) {
        float[] logits = floats(fixture.get("logits"));
        double logSum = Sampler.logSumExp(logits);
        for (int i = 0; i < logits.length; i++) {
            JsonNode expected = fixture.get("raw_logprobs").get(i);
            if (!expected.isNull()) {
                assertThat(logits[i] - logSum).isCloseTo(expected.asDouble(), within(1e-5));
            }
        }
        // Penalised logits stay F32, so their rounding, up to 2⁻²⁴ of the largest, is in the probabilities.
        double tolerance = 1e-6 + 6e-8 * largest(logits);
        double[] actual = new Sampler(100)
                .distribution(logits, state(fixture), fixture.get("output").size());
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i])
                    .as("token %d", i)
                    .isCloseTo(fixture.get("probabilities").get(i).asDouble(), within(tolerance));
        }
    }

    @Test
    void drawsAsOftenAsTheDistributionSays() {
        float[] logits = {0, 1, 2, Float.NEGATIVE_INFINITY};
        SamplerState state = new SamplerState(SamplingParams.builder().seed(7).build(), 0, 4, new int[0]);
        Sampler sampler = new Sampler(4);
        double[] expected = sampler.distribution(logits.clone(), state, 0);
        int[] counts = new int[4];
        int draws = 20_000;
        for (int i = 0; i < draws; i++) {
            counts[sampler.sample(logits.clone(), state, i, i)]++;
        }
        for (int i = 0; i < 4; i++) {
            assertThat(counts[i] / (double) draws).isCloseTo(expected[i], within(0.015));
        }
    }

    @Test
    void repeatsADrawForTheSameSeedAndPosition() {
        assertThat(Philox.bits(42, 7)).isEqualTo(Philox.bits(42, 7)).isNotEqualTo(Philox.bits(42, 8));
        assertThat(Philox.bits(43, 7)).isNotEqualTo(Philox.bits(42, 7));
    }

    /** Known answer of the Random123 distribution, {@code kat_vectors}: philox4x32 10, counter and key zero. */
    @Test
    void followsThePublishedPhilox() {
        assertThat((int) Philox.bits(0, 0)).isEqualTo(0x6627e8d5);
        assertThat((int) (Philox.bits(0, 0) >>> 32)).isEqualTo(0xe169c58d);
    }

    @Test
    void keepsEndTokensOutBeforeMinTokens() {
        SamplingParams params =
                SamplingParams.builder().temperature(0).minTokens(2).build();
        SamplerState state = new SamplerState(params, 0, 3, new int[] {2});
        Sampler sampler = new Sampler(3);
        assertThat(sampler.sample(new float[] {0, 1, 9}, state, 0, 1)).isEqualTo(1);
        assertThat(sampler.sample(new float[] {0, 1, 9}, state, 0, 2)).isEqualTo(2);
    }

    @Test
    void ranksTheTopTokensAsASortDoes() {
        Random random = new Random(5);
        float[] logits = new float[500];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = random.nextInt(40) - 20;
        }
        Integer[] ids = new Integer[logits.length];
        java.util.Arrays.setAll(ids, i -> i);
        java.util.Arrays.sort(ids, (a, b) -> Float.compare(logits[b], logits[a]));
        int[] top = new Sampler(500).top(logits, 77);
        for (int i = 0; i < top.length; i++) {
            assertThat(top[i]).isEqualTo(ids[i]);
        }
    }
}
