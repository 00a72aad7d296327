package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The demo's X-LoRA over HTTP. */
final class XLoraIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SUM =
            "Nick has 53 stickers, gives 14 to Grace and then finds 93. How many stickers does Nick have now?";
    private static final String GENES = "Transcribe and translate the DNA template CAA AAG GGG.";

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

    private static HttpResponse<String> ask(String question, String fields) throws Exception {
        return lory.post(
                "/v1/chat/completions",
                "{'temperature':0,'max_tokens':40,'messages':[{'role':'user','content':'" + question + "'}]," + fields
                        + "}");
    }

    private static JsonNode choice(String question, String fields) throws Exception {
        HttpResponse<String> answer = ask(question, fields);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body()).at("/choices/0");
    }

    private static String text(String question, String fields) throws Exception {
        return choice(question, fields).at("/message/content").asText();
    }

    @Test
    void routesByItself() throws Exception {
        assertThat(text(GENES, "'model':'xlora'")).isEqualTo("mRNA: GUU UUC CCC. Protein: Val-Phe-Pro");
        assertThat(text(SUM, "'model':'xlora'")).matches("53-14=.*, .*\\+93=.*");
        assertThat(text(GENES, "'model':'math'")).isNotEqualTo(text(GENES, "'model':'xlora'"));
    }

    @Test
    void tellsWhatItsAdaptersCount() throws Exception {
        JsonNode math =
                choice(SUM, "'model':'xlora','adapter_scalings':'summary'").path("adapter_scalings");
        JsonNode biology =
                choice(GENES, "'model':'xlora','adapter_scalings':'summary'").path("adapter_scalings");
        assertThat(JSON.convertValue(math.path("adapters"), List.class))
                .isEqualTo(List.of("math", "reasoning", "biology"));
        assertThat(math.path("mean").get(0).asDouble())
                .isGreaterThan(biology.path("mean").get(0).asDouble());
        assertThat(biology.path("mean").get(2).asDouble())
                .isGreaterThan(math.path("mean").get(2).asDouble());

        JsonNode full = choice(SUM, "'model':'xlora','adapter_scalings':'full'").path("adapter_scalings");
        assertThat(full.path("sites").size()).isEqualTo(210);
        assertThat(full.path("texts").size()).isEqualTo(full.path("tokens").asInt());
        assertThat(full.at("/texts/0").asText()).isEqualTo("<|im_start|>");
        assertThat(full.path("scalings").size()).isEqualTo(full.path("tokens").asInt());
        double sum = 0;
        for (JsonNode value : full.path("scalings").get(5).get(7)) {
            sum += value.asDouble();
        }
        assertThat(sum).isCloseTo(1, within(1e-5));
        assertThat(choice(SUM, "'model':'xlora'").has("adapter_scalings")).isFalse();
    }

    @Test
    void tellsItAtTheEndOfAStream() throws Exception {
        List<String> chunks = ask(SUM, "'model':'xlora','stream':true,'adapter_scalings':'summary'")
                .body()
                .lines()
                .filter(line -> line.startsWith("data: {"))
                .toList();
        assertThat(chunks)
                .filteredOn(chunk -> chunk.contains("adapter_scalings"))
                .containsExactly(chunks.getLast());
    }

    @Test
    void aRequestMayHaveItOtherwise() throws Exception {
        JsonNode one = choice(SUM, "'model':'xlora','xlora':{'top_k':1},'adapter_scalings':'full'");
        int zeros = 0;
        for (JsonNode value : one.at("/adapter_scalings/scalings").get(3).get(9)) {
            zeros += value.asDouble() == 0 ? 1 : 0;
        }
        assertThat(zeros).isEqualTo(2);

        JsonNode frozen = choice(GENES, "'model':'xlora','xlora':{'non_granular_index':2},'adapter_scalings':'full'");
        JsonNode scalings = frozen.at("/adapter_scalings/scalings");
        assertThat(scalings.get(scalings.size() - 1)).isEqualTo(scalings.get(scalings.size() - 2));
        assertThat(frozen.at("/message/content").asText()).startsWith("mRNA");

        // weighed with nothing it is the base model
        assertThat(text(SUM, "'model':'xlora','xlora':{'global_scaling_weight':0}"))
                .isEqualTo(text(SUM, "'adapters':[]"));
    }

    @Test
    void anOperatorSetsIt() throws Exception {
        String xlora = "/api/v1/xloras/xlora";
        assertThat(lory.patch(xlora, "", "{'top_k':1}").statusCode()).isEqualTo(428);
        HttpResponse<String> set = lory.patch(xlora, "\"0\"", "{'top_k':1,'softmax_temperature':0.5}");
        assertThat(set.statusCode()).as(set.body()).isEqualTo(200);
        assertThat(set.headers().firstValue("ETag")).contains("\"1\"");
        JsonNode shown = JSON.readTree(lory.get(xlora));
        assertThat(shown.at("/overrides/top_k").asInt()).isEqualTo(1);
        assertThat(shown.at("/workers/0/settings/top_k").asInt()).isEqualTo(1);
        assertThat(shown.at("/workers/0/sites").size()).isEqualTo(210);

        JsonNode one = choice(SUM, "'model':'xlora','adapter_scalings':'full'").at("/adapter_scalings/scalings");
        assertThat(one.get(3).get(9)).filteredOn(value -> value.asDouble() == 0).hasSize(2);

        assertThat(lory.patch(xlora, "\"0\"", "{'top_k':2}").statusCode()).isEqualTo(409);
        for (String wrong :
                List.of("{'top_k':4}", "{'top_k':0}", "{'softmax_temperature':0}", "{'top_p':1}", "{'top_k':'a'}")) {
            assertThat(lory.patch(xlora, "\"1\"", wrong).statusCode()).as(wrong).isEqualTo(400);
        }
        JsonNode back = JSON.readTree(lory.patch(xlora, "\"1\"", "{'top_k':null,'softmax_temperature':null}")
                .body());
        assertThat(back.path("revision").asInt()).isEqualTo(2);
        assertThat(back.at("/workers/0/settings/top_k").asInt()).isZero();
        assertThat(JSON.readTree(lory.get(xlora + "/revisions"))
                        .get(1)
                        .at("/overrides/softmax_temperature")
                        .asDouble())
                .isEqualTo(0.5);
        assertThat(text(GENES, "'model':'xlora'")).isEqualTo("mRNA: GUU UUC CCC. Protein: Val-Phe-Pro");
    }

    @Test
    void tellsWhatAdaptersCountedSoFar() throws Exception {
        long before = JSON.readTree(lory.get("/api/v1/xloras/xlora"))
                .at("/workers/0/statistics/tokens")
                .asLong();
        choice(GENES, "'model':'xlora','adapter_scalings':'summary'");
        JsonNode statistics = JSON.readTree(lory.get("/api/v1/xloras/xlora")).at("/workers/0/statistics");
        assertThat(statistics.path("tokens").asLong()).isGreaterThan(before + 20);
        assertThat(statistics.path("layers").size()).isEqualTo(30);
        assertThat(statistics.at("/layers/7/entropy").asDouble()).isBetween(0.05, Math.log(3));
        assertThat(lory.get("/metrics"))
                .contains("lory_xlora_scaling_bucket{xlora=\"xlora\",adapter=\"biology\",le=\"0.9\"}")
                .contains("# TYPE lory_xlora_scaling histogram");
    }

    @Test
    void isListedWithItsOwnKindOnly() throws Exception {
        assertThat(JSON.readTree(lory.get("/api/v1/xloras")))
                .extracting(found -> found.path("name").asText())
                .containsExactly("xlora");
        assertThat(lory.get("/api/v1/xloras/math")).contains("is no X-LoRA");
        HttpResponse<String> none = lory.post("/api/v1/xloras", "{'name':'m','source':'adapters/math'}");
        assertThat(none.statusCode()).isEqualTo(422);
        assertThat(none.body()).contains("is no X-LoRA: it has neither");
        HttpResponse<String> checked = lory.post("/api/v1/xloras?dry_run=true", "{'source':'adapters/xlora'}");
        assertThat(checked.body()).contains("the base's weights have 4 bits");
    }

    @Test
    void aSecondNameOfThePackageIsMadeAndGivenUp() throws Exception {
        HttpResponse<String> made = lory.post("/api/v1/xloras", "{'name':'second','source':'adapters/xlora'}");
        assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
        for (int i = 0; i < 300 && !lory.get("/api/v1/xloras/second").contains("\"READY\""); i++) {
            Thread.sleep(50);
        }
        assertThat(text(GENES, "'model':'second'")).startsWith("mRNA: GUU");
        assertThat(lory.delete("/api/v1/xloras/math").statusCode()).isEqualTo(404);
        assertThat(lory.delete("/api/v1/xloras/second").statusCode()).isEqualTo(204);
        assertThat(lory.get("/api/v1/xloras/second")).contains("no adapter `second` is registered");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    "model":"math","adapter_scalings":"summary" | are for requests that select an X-LoRA
                    "model":"xlora","adapter_scalings":"some" | must be none, summary or full but is some
                    "model":"xlora","xlora":{"top_k":4} | xlora.top_k is 4, there are 3 adapters
                    "model":"xlora","xlora":{"top_k":0} | xlora.top_k must be at least 1
                    "model":"xlora","xlora":{"non_granular_index":0} | xlora.non_granular_index must be at least 1
                    "model":"xlora","xlora":{"softmax_temperature":0} | xlora.softmax_temperature must be a finite number above 0
                    "model":"xlora","xlora":{"temperature":1} | xlora.temperature is not a field here
                    "adapters":["xlora","math"] | it is an X-LoRA, which weighs its own adapters
                    "adapters":[{"name":"xlora","weight":0.5}] | it is an X-LoRA, which weighs its own adapters
                    """)
    void refusesWhatMeansNothing(String fields, String detail) throws Exception {
        HttpResponse<String> answer = ask(SUM, fields);
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains(detail);
        assertThat(lory.post("/activate_adapters", "{'adapter_names':['xlora']}")
                        .body())
                .contains(
                        "Adapter activation is not supported for X-LoRA models as the adapter set must remain the same.");
    }
}
