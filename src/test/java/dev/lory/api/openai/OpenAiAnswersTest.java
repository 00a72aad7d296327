package dev.lory.api.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.worker.DesiredState;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.FakeWorker;
import java.util.List;
import org.junit.jupiter.api.Test;

final class OpenAiAnswersTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final FakeWorker worker = new FakeWorker();

    private JsonNode ask(String url, String body) {
        worker.apply(new DesiredState(1, List.of(new DesiredAdapter("math", "adapters/math"))));
        Served served = Served.of(worker.status(), List.of(), 20);
        try {
            return OpenAiAnswers.answer(url, JSON.readTree(body.replace('\'', '"')), worker, served, "1");
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(body, e);
        }
    }

    private JsonNode chat(String fields) {
        return ask("/v1/chat/completions", "{'messages':[{'role':'user','content':'Hé'}]" + fields + "}");
    }

    private JsonNode complete(String fields) {
        return ask("/v1/completions", "{" + fields + "}");
    }

    @Test
    void answersAChatWithEveryFieldThatClientsRequire() {
        JsonNode answer = chat(",'model':'math'");
        assertThat(answer.get("id").asText()).isEqualTo("chatcmpl-1");
        assertThat(answer.get("object").asText()).isEqualTo("chat.completion");
        assertThat(answer.get("model").asText()).isEqualTo("math");
        assertThat(answer.get("created").isIntegralNumber()).isTrue();
        assertThat(answer.has("system_fingerprint")).isTrue();
        assertThat(answer.at("/choices/0/message").toString())
                .isEqualTo("{\"role\":\"assistant\",\"content\":\"[math] Hé\",\"refusal\":null}");
        assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
        assertThat(answer.at("/choices/0/logprobs").isNull()).isTrue();
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(2);
        assertThat(answer.at("/usage/total_tokens").asInt()).isEqualTo(11);
        assertThat(answer.at("/usage/prompt_tokens_details/cached_tokens").asInt())
                .isZero();
        assertThat(answer.at("/usage/adapter_details/0/name").asText()).isEqualTo("math");
        assertThat(answer.at("/usage/adapter_details/0/weight").asDouble()).isEqualTo(1);
        assertThat(answer.has("error")).as("null would be an error to clients").isFalse();
    }

    @Test
    void givesLogprobsOfAChatWithBytes() {
        JsonNode content = chat(",'logprobs':true,'top_logprobs':2").at("/choices/0/logprobs/content");
        assertThat(content).hasSize(2);
        assertThat(content.at("/1/token").asText()).isEqualTo("é");
        assertThat(content.at("/1/bytes").toString()).isEqualTo("[195,169]");
        assertThat(content.at("/1/top_logprobs")).hasSize(2);
        assertThat(content.at("/1/logprob").floatValue()).isEqualTo((float) Math.log(0.5));
    }

    @Test
    void echoesThePromptWithItsLogprobs() {
        JsonNode choice = complete("'prompt':'abc','echo':true,'logprobs':1,'max_tokens':2")
                .at("/choices/0");
        assertThat(choice.get("text").asText()).isEqualTo("abcab");
        assertThat(choice.get("finish_reason").asText()).isEqualTo("length");
        assertThat(choice.at("/logprobs/tokens").toString()).isEqualTo("[\"a\",\"b\",\"c\",\"a\",\"b\"]");
        assertThat(choice.at("/logprobs/text_offset").toString()).isEqualTo("[0,1,2,3,4]");
        assertThat(choice.at("/logprobs/token_logprobs")).hasSize(5);
        assertThat(choice.has("prompt_logprobs")).isFalse();
    }

    @Test
    void givesIdsAndPromptLogprobsAsVllm() {
        JsonNode choice = complete(
                        "'prompt':[97,98],'return_token_ids':true,'prompt_logprobs':2,'logprobs':1,'return_tokens_as_token_ids':true")
                .at("/choices/0");
        assertThat(choice.get("prompt_token_ids").toString()).isEqualTo("[97,98]");
        assertThat(choice.get("token_ids").toString()).isEqualTo("[97,98]");
        assertThat(choice.at("/logprobs/tokens/0").asText()).isEqualTo("token_id:97");
        assertThat(choice.at("/prompt_logprobs/1/98/rank").asInt()).isEqualTo(1);
        assertThat(choice.at("/prompt_logprobs/1/99/decoded_token").asText()).isEqualTo("token_id:99");
    }

    @Test
    void countsAPromptOnceForAllItsChoices() {
        JsonNode answer = complete("'prompt':['abc','de'],'n':2");
        assertThat(answer.get("choices")).hasSize(4);
        assertThat(answer.at("/choices/2/text").asText()).isEqualTo("de");
        assertThat(answer.at("/choices/3/index").asInt()).isEqualTo(3);
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(5);
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(10);
    }

    @Test
    void namesAnUnknownUrl() {
        assertThatThrownBy(() -> ask("/v1/embeddings", "{}")).hasMessageContaining("/v1/embeddings");
    }
}
