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

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    "model":"math","adapter_scalings":"summary" | are for requests that select an X-LoRA
                    "model":"xlora","adapter_scalings":"some" | must be none, summary or full but is some
                    "model":"xlora","xlora":{"top_k":4} | xlora.top_k is 4, there are 3 adapters
                    "model":"xlora","xlora":{"top_k":0} | xlora.top_k must be at least 1
                    "model":"xlora","xlora":{"non_granular_index":0} | xlora.non_granular_index must be at least 1
                    "model":"xlora","xlora":{"softmax_temperature":0} | xlora.softmax_temperature must be above 0
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
