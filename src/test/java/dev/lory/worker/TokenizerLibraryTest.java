package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.error.ServiceException;
import dev.lory.sampling.SamplingParams;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A platform that the tokenizer's native library was not built for: a JVM of its own that takes itself for one. */
final class TokenizerLibraryTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

    @Test
    void withoutItTokenIdsAreServedAndTextIsRefusedInOneSentence() throws IOException, InterruptedException {
        Process elsewhere = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dos.arch=s390x",
                        "-Xmx256m",
                        "--add-modules=jdk.incubator.vector",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Elsewhere.class.getName())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String told = new String(elsewhere.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(elsewhere.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(told.lines())
                .containsExactly(
                        "ids: 3 of 3, text ''",
                        "UNSUPPORTED the tokenizer's native library cannot be loaded on Linux s390x: "
                                + "Unexpected flavor: cpu; prompts must be token ids, and answers have no text");
    }

    /** What the other JVM does: a tiny model with a tokenizer beside it. */
    static final class Elsewhere {
        private Elsewhere() {}

        public static void main(String[] arguments) {
            SmallOptions options = new SmallOptions(FIXTURES.resolve("models/llama/base"));
            options.tokenizer = FIXTURES.resolve("tokenizers/gpt2-style").toString();
            options.kernels = "reference"; // native calls are for the real platform
            try (LocalWorker worker = LocalWorker.open(options.get())) {
                answer(worker, new Prompt.Tokens(List.of(5, 6, 7)));
                answer(worker, new Prompt.Text("Hello"));
            } catch (ServiceException e) {
                System.out.println(e.code() + " " + e.detail());
            }
        }

        private static void answer(Worker worker, Prompt prompt) {
            StringBuilder text = new StringBuilder();
            SamplingParams params = SamplingParams.builder()
                    .temperature(0)
                    .maxTokens(3)
                    .ignoreEos(true)
                    .build();
            try (Generation generation =
                    worker.generate(new GenerationRequest("elsewhere", prompt, List.of(), params))) {
                while (generation.hasNext()) {
                    switch (generation.next()) {
                        case GenerationEvent.PromptScored scored -> throw new AssertionError(scored);
                        case GenerationEvent.Delta delta -> text.append(delta.text());
                        case GenerationEvent.Finished end ->
                            System.out.println("ids: " + end.usage().completionTokens() + " of 3, text '" + text + "'");
                    }
                }
            }
        }
    }
}
