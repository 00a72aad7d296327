package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What callers of vLLM, llama.cpp, LoRAX and the Kubernetes inference gateway do, with the demo model. */
final class DialectsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String QUESTION = "A shop has 35 eggs. It receives 21 and sells 8. How many eggs remain?";

    @TempDir
    static Path folder;

    private static LoryClient lory;

    @BeforeAll
    static void start() throws Exception {
        lory = new LoryClient(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        lory.close();
    }

    private static String chat(String model) throws Exception {
        HttpResponse<String> answer = lory.post(
                "/v1/chat/completions",
                "{'model':'" + model + "','max_tokens':24,'temperature':0,'messages':[{'role':'user','content':'"
                        + QUESTION + "'}]}");
        return answer.statusCode() == 200
                ? JSON.readTree(answer.body()).at("/choices/0/message/content").asText()
                : Integer.toString(answer.statusCode());
    }

    /** As the sidecar and the endpoint picker of the gateway do it. */
    @Test
    void aSidecarLoadsAndARouterSeesIt() throws Exception {
        HttpResponse<String> loaded = lory.post(
                "/v1/load_lora_adapter",
                "{'lora_name':'sidecar','lora_path':'adapters/math','base_model_name':'anything'}");
        assertThat(loaded.statusCode()).as(loaded.body()).isEqualTo(200);
        assertThat(chat("sidecar")).as("at once").isEqualTo(chat("math")).isNotEqualTo(chat("biology"));
        assertThat(lory.get("/metrics"))
                .containsPattern("running_lora_adapters=\"[^\"]*sidecar")
                .contains("adapter_name=\"sidecar\"");

        String generation = JSON.readTree(lory.get("/v1/lora_adapters"))
                .findValue("generations")
                .get(0)
                .asText();
        assertThat(generation).hasSize(64);
        assertThat(lory.post("/v1/load_lora_adapter", "{'lora_name':'sidecar','lora_path':'adapters/biology'}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(lory.post(
                                "/v1/load_lora_adapter",
                                "{'lora_name':'sidecar','lora_path':'adapters/biology','load_inplace':true}")
                        .statusCode())
                .isEqualTo(200);
        assertThat(chat("sidecar")).as("other content").isEqualTo(chat("biology"));

        assertThat(lory.post("/v1/unload_lora_adapter", "{'lora_name':'sidecar'}")
                        .statusCode())
                .isEqualTo(200);
        assertThat(lory.get("/metrics"))
                .doesNotContainPattern("running_lora_adapters=\"[^\"]*sidecar")
                .doesNotContain("adapter_name=\"sidecar\"");
        assertThat(lory.get("/v1/models")).doesNotContain("sidecar");
        assertThat(chat("sidecar")).isEqualTo("404");
    }

    @Test
    void llamaCppAndLoraxMixAsOurOwnFieldsDo() throws Exception {
        String raw = "'prompt':'" + QUESTION + "','temperature':0,'ignore_eos':true";
        JsonNode adapters = JSON.readTree(lory.get("/lora-adapters"));
        String scales = "";
        for (JsonNode adapter : adapters) {
            String name = adapter.path("path").asText();
            if (name.equals("math") || name.equals("biology")) {
                scales += (scales.isEmpty() ? "" : ",") + "{'id':" + adapter.path("id") + ",'scale':0.5}";
            }
        }
        String own = JSON.readTree(lory.post(
                                "/v1/completions",
                                "{" + raw
                                        + ",'max_tokens':16,'adapters':[{'name':'math','weight':0.5},{'name':'biology','weight':0.5}]}")
                        .body())
                .at("/choices/0/text")
                .asText();
        String llama = JSON.readTree(lory.post("/completion", "{" + raw + ",'n_predict':16,'lora':[" + scales + "]}")
                        .body())
                .path("content")
                .asText();
        String lorax = JSON.readTree(lory.post(
                                "/generate",
                                "{'inputs':'" + QUESTION
                                        + "','parameters':{'max_new_tokens':16,'ignore_eos_token':true,'merged_adapters':{'ids':['math','biology'],'weights':[0.5,0.5]}}}")
                        .body())
                .path("generated_text")
                .asText();
        assertThat(own).isNotBlank().isEqualTo(llama).isEqualTo(lorax);

        assertThat(lory.post("/lora-adapters", "[" + scales + "]").statusCode()).isEqualTo(200);
        String active = JSON.readTree(lory.post("/v1/completions", "{" + raw + ",'max_tokens':16}")
                        .body())
                .at("/choices/0/text")
                .asText();
        assertThat(active).isEqualTo(own);
        assertThat(lory.post("/lora-adapters", "[]").statusCode()).isEqualTo(200);
    }

    @Test
    void aStreamOfLoraxEndsWithTheWholeText() throws Exception {
        String body =
                "{'inputs':'" + QUESTION + "','parameters':{'max_new_tokens':12,'adapter_id':'math','details':true}}";
        String whole = JSON.readTree(lory.post("/generate", body).body())
                .path("generated_text")
                .asText();
        StringBuilder pieces = new StringBuilder();
        JsonNode last = JSON.nullNode();
        for (String line : lory.post("/generate_stream", body)
                .body()
                .lines()
                .filter(each -> each.startsWith("data: "))
                .toList()) {
            last = JSON.readTree(line.substring(6));
            pieces.append(
                    last.at("/token/special").asBoolean()
                            ? ""
                            : last.at("/token/text").asText());
        }
        assertThat(pieces).hasToString(whole);
        assertThat(last.path("generated_text").asText()).isEqualTo(whole);
    }

    @Test
    void aStoredMixtureIsAnAdapter() throws Exception {
        String parts = "'ids':['math','biology'],'weights':[0.5,0.5]";
        merge("sum", parts);
        merge("elected", "'ids':['math','reasoning'],'merge_strategy':'ties','density':0.7");
        // four tokens: what is added in another order may be another word later, at a near tie
        String own = text("'adapters':[{'name':'math','weight':0.5},{'name':'biology','weight':0.5}]");
        assertThat(text("'model':'sum'")).isNotBlank().isEqualTo(own);
        assertThat(text("'model':'elected'")).isNotBlank();
    }

    private static void merge(String name, String merged) throws Exception {
        HttpResponse<String> answer =
                lory.post("/api/v1/adapters", "{'name':'" + name + "','merged_adapters':{" + merged + "}}");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
        while (!JSON.readTree(lory.get("/api/v1/adapters/" + name))
                .path("state")
                .asText()
                .equals("READY")) {
            Thread.sleep(50); // the worker loads it soon after
        }
    }

    private static String text(String selection) throws Exception {
        String body = lory.post(
                        "/v1/completions",
                        "{" + selection + ",'prompt':'" + QUESTION
                                + "','max_tokens':4,'temperature':0,'ignore_eos':true}")
                .body();
        return JSON.readTree(body).at("/choices/0/text").asText();
    }
}
