package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.models.Model;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** OpenAI's own Java client against the packaged program. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OpenAiClientIT {
    private static final String BASE = "smollm2-135m-instruct";
    private static final String QUESTION = "A shop has 35 eggs. It receives 21 and sells 8. How many eggs remain?";
    private static final String ANSWER = "35+21=56, 56-8=48";

    @TempDir
    static Path folder;

    private LoryProcess lory;
    private OpenAIClient client;

    @BeforeAll
    void start() throws Exception {
        lory = LoryProcess.serve(folder.resolve("data"), folder.resolve("log"));
        client = OpenAIOkHttpClient.builder()
                .baseUrl(lory.url() + "/v1")
                .apiKey("none")
                .maxRetries(0)
                .build();
    }

    @AfterAll
    void stop() throws InterruptedException {
        client.close();
        lory.stop();
    }

    private static ChatCompletionCreateParams.Builder chat(String model) {
        return ChatCompletionCreateParams.builder()
                .model(model)
                .addUserMessage(QUESTION)
                .temperature(0)
                .maxCompletionTokens(40);
    }

    private static String text(ChatCompletion answer) {
        return answer.choices().getFirst().message().content().orElseThrow();
    }

    @Test
    void answersThroughTheAdapterThatTheModelNames() {
        ChatCompletion answer = client.chat().completions().create(chat("math").build());
        assertThat(text(answer)).isEqualTo(ANSWER);
        assertThat(answer.choices().getFirst().finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(answer.usage().orElseThrow().promptTokens()).isEqualTo(53);
    }

    @Test
    void answersThroughTheAdaptersOfTheRequest() {
        var adapters = JsonValue.from(List.of(Map.of("name", "math", "weight", 1)));
        ChatCompletion answer = client.chat()
                .completions()
                .create(chat(BASE)
                        .putAdditionalBodyProperty("adapters", adapters)
                        .build());
        assertThat(text(answer)).isEqualTo(ANSWER);
        ChatCompletion base = client.chat().completions().create(chat(BASE).build());
        assertThat(text(base)).isNotEqualTo(ANSWER);
    }

    @Test
    void streamsTheSameText() {
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(chat("math").build())) {
            String text = stream.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .flatMap(choice -> choice.delta().content().stream())
                    .collect(Collectors.joining());
            assertThat(text).isEqualTo(ANSWER);
        }
    }

    @Test
    void completesText() {
        var answer = client.completions()
                .create(CompletionCreateParams.builder()
                        .model(BASE)
                        .prompt("The capital of France is")
                        .temperature(0)
                        .maxTokens(4)
                        .logprobs(2)
                        .build());
        assertThat(answer.choices().getFirst().text()).isNotBlank();
        assertThat(answer.choices().getFirst().logprobs().orElseThrow().tokens().orElseThrow())
                .hasSize(4);
    }

    @Test
    void closingAStreamEarlyCancelsInTheEngine() throws Exception {
        ChatCompletionCreateParams endless = chat(BASE)
                .maxCompletionTokens(7000)
                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                .build();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(endless)) {
            Iterator<ChatCompletionChunk> chunks = stream.stream().iterator();
            for (int i = 0; i < 5; i++) {
                chunks.next();
            }
            assertThat(lory.metric("vllm:num_requests_running")).isEqualTo(1);
        }
        long end = System.nanoTime() + 3_000_000_000L;
        while (lory.metric("vllm:num_requests_running") > 0 && System.nanoTime() < end) {
            Thread.sleep(20);
        }
        assertThat(lory.metric("vllm:num_requests_running")).isZero();
    }

    @Test
    void errorsAreTheClientsOwn() {
        assertThatThrownBy(
                        () -> client.chat().completions().create(chat("nobody").build()))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("nobody");
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(chat(BASE).temperature(-1).build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("temperature");
    }

    @Test
    void listsTheAdaptersAsModels() {
        assertThat(client.models().list().data())
                .extracting(Model::id)
                .containsExactlyInAnyOrder(BASE, "math", "reasoning", "biology", "xlora");
    }
}
