package dev.lory.api.openai;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.nullValue;

import dev.lory.database.DatabaseResource;
import dev.lory.worker.FakeWorker;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokens and templates over HTTP, with a worker whose tokens are characters. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class TokenizeApiTest {
    private static final String HI = "'messages':[{'role':'user','content':'Hi'}]";

    private static ValidatableResponse post(String path, String body) {
        return given().contentType("application/json")
                .body(body.replace('\'', '"'))
                .post(path)
                .then();
    }

    @Test
    void tokenizesATextWithWhatTheModelExpectsAroundIt() {
        post("/tokenize", "{'model':'" + FakeWorker.MODEL + "','prompt':'Hi'}")
                .statusCode(200)
                .body("count", equalTo(3))
                .body("max_model_len", equalTo(2048))
                .body("tokens", contains(FakeWorker.BOS, (int) 'H', (int) 'i'))
                .body("$", hasKey("token_strs"))
                .body("token_strs", nullValue());
        post("/tokenize", "{'prompt':'H i','add_special_tokens':false,'return_token_strs':true}")
                .statusCode(200)
                .body("tokens", contains((int) 'H', (int) ' ', (int) 'i'))
                .body("token_strs", contains("H", "\u2581", "i"));
    }

    @Test
    void tokenizesAConversationInTheModelsTemplate() {
        int[] count = {"user: Hi\nassistant:".length(), "user: Hi\n".length()};
        post("/tokenize", "{" + HI + "}").statusCode(200).body("count", equalTo(count[0]));
        post("/tokenize", "{" + HI + ",'add_special_tokens':true}")
                .statusCode(200)
                .body("count", equalTo(count[0] + 1))
                .body("tokens[0]", equalTo(FakeWorker.BOS));
        post("/tokenize", "{" + HI + ",'add_generation_prompt':false}")
                .statusCode(200)
                .body("count", equalTo(count[1]));
    }

    @Test
    void givesTheTextOfTokens() {
        post("/detokenize", "{'tokens':[72,105]}").statusCode(200).body("prompt", equalTo("Hi"));
        post("/detokenize", "{'tokens':[]}").statusCode(200).body("prompt", equalTo(""));
    }

    @Test
    void writesAConversationAsTheTemplateDoes() {
        post("/apply-template", "{" + HI + "}").statusCode(200).body("prompt", equalTo("user: Hi\nassistant:"));
        post(
                        "/apply-template",
                        "{" + HI + ",'add_generation_prompt':false,'chat_template_kwargs':{'shout':true},"
                                + "'tools':[{'type':'function','function':{'name':'f'}}]}")
                .statusCode(200)
                .body("prompt", equalTo("user: Hi\n[{\"type\": \"function\", \"function\": {\"name\": \"f\"}}]\n!"));
    }

    @Test
    void aTemplateThatRefusesIsToldInItsOwnWords() {
        String refused = "{'messages':[{'role':'user','content':'refuse me'}]}";
        for (String path : new String[] {"/apply-template", "/tokenize"}) {
            post(path, refused)
                    .statusCode(400)
                    .contentType("application/json")
                    .body("error.message", equalTo("This template refuses."))
                    .body("error.type", equalTo("invalid_request_error"))
                    .body("error.code", equalTo("invalid_template"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "/tokenize | {} | 400 | either prompt or messages",
                "/tokenize | {'prompt':'a','messages':[]} | 400 | either prompt or messages",
                "/tokenize | {'prompt':['a']} | 400 | prompt must be a string",
                "/tokenize | {'prompt':'a','add_special_tokens':1} | 400 | add_special_tokens must be true or false",
                "/tokenize | {'prompt':'a','model':'nobody'} | 404 | nobody",
                "/tokenize | {'messages':[{'role':'user','content':'a'}],'continue_final_message':true} | 501 | continue_final_message",
                "/tokenize | {'prompt': | 400 | not JSON",
                "/tokenize | [] | 400 | must be an object",
                "/detokenize | {} | 400 | tokens is missing",
                "/detokenize | {'tokens':'a'} | 400 | tokens must be an array",
                "/detokenize | {'tokens':[1.5]} | 400 | tokens[0] must be a token id",
                "/detokenize | {'tokens':[1,-1]} | 400 | tokens[1] is -1",
                "/detokenize | {'tokens':[1114112]} | 400 | ids go from 0 to 1114111",
                "/apply-template | {'messages':[]} | 400 | messages",
                "/apply-template | {'messages':[{'role':'user','content':'a'}],'chat_template':'x'} | 501 | chat_template",
                "/apply-template | {'messages':[{'role':'user','content':'a'}],'chat_template_kwargs':{'tools':1}} | 400 | chat_template_kwargs",
            })
    void tellsErrorsInTheEnvelopeOfOpenAi(String path, String body, int status, String message) {
        post(path, body)
                .statusCode(status)
                .contentType("application/json")
                .body("error.message", containsString(message))
                .body("error.type", equalTo(status == 404 ? "not_found_error" : "invalid_request_error"));
    }
}
