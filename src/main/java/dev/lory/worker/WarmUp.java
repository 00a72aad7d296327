package dev.lory.worker;

import dev.lory.sampling.SamplingParams;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Runs prompts through everything before the first user does, so that his is not the one that waits for the compiler. */
final class WarmUp {
    private static final int PROMPT_TOKENS = 192;
    private static final int OUTPUT_TOKENS = 48;
    private static final int ROUNDS = 4;

    private WarmUp() {}

    /** @param adapters to run with, one after the other; none = the base model */
    static void run(Worker worker, List<String> adapters) {
        // Random tokens, and others each time: a prompt of the round before would be found in the cache.
        RandomGenerator random = RandomGenerator.getDefault();
        int vocab = worker.status().model().vocabSize();
        int prompt = Math.min(PROMPT_TOKENS, worker.status().model().maxModelLen() / 2);
        int output = Math.min(OUTPUT_TOKENS, prompt);
        for (int round = 0; round < ROUNDS; round++) {
            List<Integer> ids = IntStream.range(0, prompt)
                    .map(i -> random.nextInt(vocab))
                    .boxed()
                    .toList();
            List<WeightedAdapter> set = adapters.isEmpty()
                    ? List.of()
                    : List.of(new WeightedAdapter(adapters.get(round % adapters.size()), 1));
            SamplingParams params = SamplingParams.builder()
                    .temperature(round % 2)
                    .maxTokens(Math.max(1, output))
                    .ignoreEos(true)
                    .build();
            try (Generation generation =
                    worker.generate(new GenerationRequest("warm-up", new Prompt.Tokens(ids), set, params))) {
                generation.forEachRemaining(event -> {});
            }
        }
    }
}
