package dev.lory.api.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.GenerationRequest;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.Prompt;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class OpenAiRequestTest {
    private static final WeightedAdapter ACTIVE = new WeightedAdapter("biology", 0.5f);
    private static final Served SERVED =
            new Served("base", List.of("math", "biology"), Map.of("f00d", "math"), List.of(ACTIVE), Map.of(), 20);
    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    private static OpenAiRequest chat(String fields) {
        return parse(Endpoint.CHAT, "{" + MESSAGES + (fields.isEmpty() ? "" : "," + fields) + "}");
    }

    private static OpenAiRequest completion(String fields) {
        return parse(Endpoint.COMPLETIONS, "{" + fields + "}");
    }

    private static OpenAiRequest parse(Endpoint endpoint, String body) {
        try {
            return OpenAiRequest.parse(endpoint, new ObjectMapper().readTree(body), SERVED, "id");
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(body, e);
        }
    }

    @Test
    void givesTemplatesToolCallsAsObjectsAndKeepsNull() {
        OpenAiRequest request = parse(Endpoint.CHAT, """
                {"messages": [
                  {"role": "assistant", "name": null, "tool_calls": [
                    {"function": {"name": "f", "arguments": "{\\"x\\": [1, null], \\"n\\": 12345678901234567890}"}},
                    {"function": {"name": "g", "arguments": "not JSON"}}]},
                  {"role": "tool", "content": "7"}],
                 "tools": [{"function": {"name": "f", "parameters": {"x": {"default": null, "enum": ["a", null]}}}}]}""");
        Prompt.Chat chat = (Prompt.Chat) request.choices().getFirst().prompt();

        assertThat(chat.messages().getFirst()).containsEntry("content", null).doesNotContainKey("name");
        assertThat(chat.messages().getFirst().get("tool_calls"))
                .hasToString("[{function={name=f, arguments={x=[1, null], n=12345678901234567890}}},"
                        + " {function={name=g, arguments=not JSON}}]");
        assertThat(chat.tools()).hasToString("[{function={name=f, parameters={x={default=null, enum=[a, null]}}}}]");
    }

    private static void refused(ErrorCode code, String named, Runnable parse) {
        assertThatThrownBy(parse::run)
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessageContaining(named);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "'temperature':'hot' | temperature must be a number but is",
                "'temperature':-1 | temperature must be between 0",
                "'top_p':0 | top_p must be above 0",
                "'top_k':1.5 | top_k must be an integer but is 1.5",
                "'top_k':-3 | top_k must be at least 0",
                "'min_p':2 | min_p must be between 0",
                "'repetition_penalty':0 | repetition_penalty must be above 0",
                "'presence_penalty':3 | presence_penalty must be between -2",
                "'frequency_penalty':'x' | frequency_penalty must be a number",
                "'max_tokens':-1 | max_tokens must be at least 0 but is -1",
                "'max_completion_tokens':1.5 | max_completion_tokens must be an integer",
                "'min_tokens':-1 | min_tokens must be at least 0",
                "'n':0 | n must be at least 1",
                "'n':1000 | n must be at least 1",
                "'seed':1.5 | seed must be an integer",
                "'stop':[''] | stop takes up to 16 strings",
                "'stop':[1] | stop[0] must be a string",
                "'stop_token_ids':['a'] | stop_token_ids[0] must be a token id",
                "'logit_bias':{'a':1} | logit_bias has the key `a`",
                "'logit_bias':{'1':200} | logit_bias must be between -100",
                "'logprobs':3 | logprobs must be true or false",
                "'logprobs':true,'top_logprobs':21 | top_logprobs must be between 0",
                "'top_logprobs':2 | top_logprobs is 2 but logprobs is not true",
                "'prompt_logprobs':-1 | prompt_logprobs must be between 0",
                "'stream':'yes' | stream must be true or false",
                "'stream_options':3 | stream_options must be an object",
                "'adapters':'math' | adapters must be an array",
                "'adapters':[{'weight':1}] | adapters[0].name is missing",
                "'adapters':[{'name':'math','weight':'x'}] | adapters[0].weight must be a number",
                "'merged_adapters':{'ids':['math'],'weights':[1,2]} | merged_adapters.weights has 2 entries",
                "'merged_adapters':{'ids':['math'],'merge_strategy':'ties'} | merge_strategy must be linear",
                "'chat_template_kwargs':1 | chat_template_kwargs must be an object",
                "'model':5 | model must be a string",
            })
    void namesTheFieldThatIsWrong(String fields, String message) {
        refused(ErrorCode.INVALID_REQUEST, message, () -> chat(fields.replace('\'', '"')));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{} | messages must be an array of at least one",
                "{'messages':[]} | messages must be an array of at least one",
                "{'messages':'x'} | messages must be an array but is",
                "{'messages':[1]} | messages[0] must be an object but is 1",
                "{'messages':[{'content':'x'}]} | messages[0].role is missing",
                "{'messages':[{'role':'king','content':'x'}]} | messages[0].role must be one of",
                "{'messages':[{'role':'user'}]} | messages[0].content is missing",
                "{'messages':[{'role':'user','content':5}]} | messages[0].content must be an array",
                "{'messages':[{'role':'user','content':[{'type':'image_url'}]}]} | content[0].type must be text",
                "[] | the body must be an object",
            })
    void namesTheMessageThatIsWrong(String body, String message) {
        refused(ErrorCode.INVALID_REQUEST, message, () -> parse(Endpoint.CHAT, body.replace('\'', '"')));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "'model':'base' | prompt is missing",
                "'prompt':5 | prompt must be a string or an array",
                "'prompt':[] | prompt must be a string or an array",
                "'prompt':[1,2.5] | prompt[1] must be a token id",
                "'prompt':['a',{}] | prompt[1] must be a string or an array",
                "'prompt':'a','logprobs':21 | logprobs must be between 0",
                "'prompt':'a','logprobs':-1 | logprobs must be between 0",
            })
    void namesThePromptThatIsWrong(String fields, String message) {
        refused(ErrorCode.INVALID_REQUEST, message, () -> completion(fields.replace('\'', '"')));
    }

    @Test
    void refusesWhatIsNotOfferedOrNotThere() {
        refused(ErrorCode.UNSUPPORTED, "suffix", () -> completion("\"prompt\":\"a\",\"suffix\":\"b\""));
        refused(ErrorCode.UNSUPPORTED, "json_object", () -> chat("\"response_format\":{\"type\":\"json_object\"}"));
        refused(ErrorCode.MODEL_NOT_FOUND, "`gpt`", () -> chat("\"model\":\"gpt\""));
        refused(ErrorCode.MODEL_NOT_FOUND, "`base:x`", () -> chat("\"model\":\"base:x\""));
        refused(ErrorCode.ADAPTER_NOT_FOUND, "`x`", () -> chat("\"adapters\":[\"x\"]"));
        refused(
                ErrorCode.ADAPTER_SELECTION_CONFLICT,
                "model selects math but adapters selects biology",
                () -> chat("\"model\":\"math\",\"adapters\":[\"biology\"]"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "'model':'math'",
                "'model':'base:math'",
                "'model':'base::math'",
                "'adapters':['math']",
                "'adapters':[{'name':'math'}]",
                "'adapter':'math'",
                "'lora_path':'math'",
                "'adapter_id':'math'",
                "'merged_adapters':{'ids':['math'],'weights':[1]}",
                "'lora':[{'id':0}]",
                "'lora':[{'id':'math','scale':1.0}]",
                "'model':'math','adapters':['math'],'adapter':null",
            })
    void understandsEveryWayToNameAnAdapter(String fields) {
        assertThat(chat(fields.replace('\'', '"')).choices().getFirst().adapters())
                .containsExactly(new WeightedAdapter("math", 1));
    }

    @Test
    void takesTheActivationOnlyWhereARequestSaysNothing() {
        assertThat(chat("").choices().getFirst().adapters()).containsExactly(ACTIVE);
        assertThat(chat("\"model\":\"base\"").choices().getFirst().adapters()).containsExactly(ACTIVE);
        assertThat(chat("\"adapters\":[]").choices().getFirst().adapters()).isEmpty();
        assertThat(chat("\"adapters\":[\"math\",{\"name\":\"biology\",\"weight\":-0.25}]")
                        .choices()
                        .getFirst()
                        .adapters())
                .containsExactly(new WeightedAdapter("math", 1), new WeightedAdapter("biology", -0.25f));
    }

    @Test
    void makesAChoiceForEachPromptAndEachOfN() {
        OpenAiRequest request = completion("\"prompt\":[\"a\",[1,2]],\"n\":2,\"seed\":7,\"top_k\":-1");
        assertThat(request.choices())
                .extracting(GenerationRequest::prompt)
                .containsExactly(
                        new Prompt.Text("a"),
                        new Prompt.Text("a"),
                        new Prompt.Tokens(List.of(1, 2)),
                        new Prompt.Tokens(List.of(1, 2)));
        assertThat(request.choices())
                .extracting(choice -> choice.sampling().seed().orElseThrow())
                .containsExactly(7L, 8L, 7L, 8L);
        assertThat(request.choices().getFirst().sampling().maxTokens()).hasValue(16);
        assertThat(request.choices().getFirst().sampling().topK()).isZero();
    }

    @Test
    void hasTheDefaultsOfOpenAiAndIgnoresWhatItDoesNotKnow() {
        OpenAiRequest request = chat("\"user\":\"me\",\"store\":true,\"something\":{\"new\":1}");
        assertThat(request.choices().getFirst().sampling()).isEqualTo(SamplingParams.DEFAULT);
        assertThat(request.model()).isEqualTo("base");
    }

    @Test
    void joinsPartsAndCallsADeveloperSystem() {
        OpenAiRequest request = parse(Endpoint.CHAT, """
                {"messages":[{"role":"developer","content":"Be brief.","name":null},
                 {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}""");
        assertThat(request.choices().getFirst().prompt())
                .isInstanceOfSatisfying(
                        Prompt.Chat.class,
                        chat -> assertThat(chat.messages())
                                .containsExactly(
                                        java.util.Map.of("role", "system", "content", "Be brief."),
                                        java.util.Map.of("role", "user", "content", "a\nb")));
    }
}
