package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lory.format.SafetensorsWriter;
import dev.lory.format.SafetensorsWriter.Shape;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.PromptScored;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a classifier that says the same of every token, an X-LoRA is the weighted sum of its adapters; here also at the embedding. */
final class XLoraSumTest {
    private static final Path BASE = Path.of("src/test/resources/fixtures/xlora/bases/llama");
    private static final int HIDDEN = 64;
    private static final int INNER = 160;
    private static final int VOCAB = 352;
    private static final float FIRST = 0.5f;
    private static final float SECOND = -0.25f;

    /** Outputs and inputs of what the adapters change, by path, in the order of the model. */
    private static final SequencedMap<String, Shape> SITES = new LinkedHashMap<>();

    static {
        SITES.put("model.embed_tokens", new Shape(HIDDEN, VOCAB));
        for (int layer = 0; layer < 2; layer++) {
            SITES.put("model.layers." + layer + ".self_attn.q_proj", new Shape(HIDDEN, HIDDEN));
            SITES.put("model.layers." + layer + ".mlp.down_proj", new Shape(HIDDEN, INNER));
        }
    }

    private final Random random = new Random(11);

    @TempDir
    Path folder;

    @Test
    void aConstantClassifierIsASum() throws IOException {
        writeAdapter("first", 4, 8);
        writeAdapter("second", 8, 8);
        writeClassifier();
        try (Worker worker = LocalWorker.open(new SmallOptions(BASE).get())) {
            WorkerStatus status = worker.apply(new DesiredState(
                    1, List.of(adapter("x", ""), adapter("first", "first"), adapter("second", "second"))));
            assertThat(status.adapters()).extracting(AdapterStatus::reason).containsOnly("");

            List<Float> mixed = logprobs(worker, List.of(new WeightedAdapter("x", 1)));
            List<Float> summed = logprobs(
                    worker, List.of(new WeightedAdapter("first", FIRST), new WeightedAdapter("second", SECOND)));
            List<Float> base = logprobs(worker, List.of());
            assertThat(mixed).hasSameSizeAs(summed);
            double apart = 0;
            for (int i = 0; i < mixed.size(); i++) {
                assertThat(mixed.get(i)).isCloseTo(summed.get(i), within(1e-4f));
                apart = Math.max(apart, Math.abs(mixed.get(i) - base.get(i)));
            }
            assertThat(apart).as("the adapters change something").isGreaterThan(0.01);
        }
    }

    private DesiredAdapter adapter(String name, String place) {
        return new DesiredAdapter(name, folder.resolve(place).toString());
    }

    private static List<Float> logprobs(Worker worker, List<WeightedAdapter> adapters) {
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .maxTokens(5)
                .ignoreEos(true)
                .logprobs(0)
                .promptLogprobs(0)
                .build();
        Prompt prompt = new Prompt.Tokens(List.of(5, 9, 13, 21, 3, 200, 351));
        List<Float> logprobs = new ArrayList<>();
        try (Generation generation = worker.generate(new GenerationRequest("test", prompt, adapters, params))) {
            while (generation.hasNext()) {
                List<Token> tokens = switch (generation.next()) {
                    case PromptScored scored ->
                        scored.tokens().subList(1, scored.tokens().size());
                    case Delta delta -> delta.tokens();
                    default -> List.of();
                };
                tokens.forEach(token -> logprobs.add(token.logprob()));
            }
        }
        return logprobs;
    }

    private void writeAdapter(String name, int rank, int alpha) throws IOException {
        Path place = Files.createDirectories(folder.resolve(name));
        Files.writeString(
                place.resolve("adapter_config.json"),
                "{\"peft_type\": \"LORA\", \"task_type\": \"CAUSAL_LM\", \"r\": " + rank + ", \"lora_alpha\": " + alpha
                        + ", \"target_modules\": [\"embed_tokens\", \"q_proj\", \"down_proj\"],"
                        + " \"base_model_name_or_path\": \"tiny/llama\"}");
        SequencedMap<String, Shape> tensors = new LinkedHashMap<>();
        SITES.forEach((path, shape) -> {
            boolean embedding = path.endsWith("embed_tokens");
            String prefix = "base_model.model." + path + (embedding ? ".lora_embedding_" : ".lora_");
            String suffix = embedding ? "" : ".weight";
            tensors.put(prefix + "A" + suffix, new Shape(rank, shape.cols()));
            tensors.put(prefix + "B" + suffix, new Shape(shape.rows(), rank));
        });
        try (SafetensorsWriter writer = new SafetensorsWriter(place.resolve("adapter_model.safetensors"), tensors)) {
            for (Shape shape : tensors.values()) {
                float[] values = new float[shape.rows() * shape.cols()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = 0.2f * (float) random.nextGaussian();
                }
                writer.write(values);
            }
        }
    }

    private void writeClassifier() throws IOException {
        Files.writeString(folder.resolve("xlora_config.json"), """
                {"base_model_id": "tiny/llama", "hidden_size": 64, "adapters": ["first", "second"], "layerwise_scalings": true,
                 "enable_softmax": false, "xlora_depth": 1, "use_bias": true}""");
        List<String> layers = new ArrayList<>();
        for (String path : SITES.keySet()) {
            layers.add("\"" + path + "\": " + layers.size());
        }
        Files.writeString(
                folder.resolve("ordering.json"),
                "{\"order\": [\"first\", \"second\"], \"base_model_id\": \"tiny/llama\", \"layers\": {"
                        + String.join(", ", layers) + "}}");
        int outputs = 2 * SITES.size();
        SequencedMap<String, Shape> tensors = new LinkedHashMap<>(Map.of("last.weight", new Shape(outputs, HIDDEN)));
        tensors.put("last.bias", new Shape(1, outputs));
        float[] bias = new float[outputs];
        for (int i = 0; i < outputs; i++) {
            bias[i] = i % 2 == 0 ? FIRST : SECOND;
        }
        try (SafetensorsWriter writer =
                new SafetensorsWriter(folder.resolve("xlora_classifier.safetensors"), tensors)) {
            writer.write(new float[outputs * HIDDEN]);
            writer.write(bias);
        }
    }
}
