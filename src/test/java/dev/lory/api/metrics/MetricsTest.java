package dev.lory.api.metrics;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;

import dev.lory.database.DatabaseResource;
import dev.lory.registry.Eventually;
import dev.lory.worker.FakeWorker;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The model-server protocol of the Kubernetes inference gateway, and a strict look at everything else that is told. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class MetricsTest {
    private static final String ADAPTER = "/api/v1/adapters/reasoning";

    @AfterEach
    void load() throws Exception {
        given().post(ADAPTER + "/load").then().statusCode(202);
        Eventually.is(() -> given().get(ADAPTER).path("state"), "READY");
    }

    private static MetricsText scrape() {
        return MetricsText.parse(
                given().get("/metrics").then().statusCode(200).extract().asString());
    }

    private static List<String> running(MetricsText metrics) {
        return names(metrics, "running_lora_adapters");
    }

    private static List<String> names(MetricsText metrics, String label) {
        String names = metrics.one("vllm:lora_requests_info").labels().getOrDefault(label, "?");
        return names.isEmpty() ? List.of() : List.of(names.split(","));
    }

    private static List<String> loaded(MetricsText metrics) {
        return metrics.of("vllm:lora_adapter_loaded").stream()
                .map(sample -> sample.labels().getOrDefault("adapter_name", "?"))
                .toList();
    }

    private static void complete(String model) {
        given().contentType("application/json")
                .body(Map.of("model", model, "prompt", "abc"))
                .post("/v1/completions")
                .then()
                .statusCode(200);
    }

    @Test
    void isTextForWhoeverAsks() {
        given().get("/metrics").then().contentType("text/plain;charset=utf-8;version=0.0.4");
        String accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        given().header("Accept", accept).get("/metrics").then().statusCode(200).body(not(equalTo("")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vllm:num_requests_waiting",
                "vllm:num_requests_running",
                "vllm:kv_cache_usage_perc",
                "vllm:num_gpu_loaded_lora_adapters",
                "vllm:num_cpu_loaded_lora_adapters",
                "vllm:max_gpu_lora_adapters"
            })
    void tellsLoadInOneSample(String gauge) {
        MetricsText metrics = scrape();
        assertThat(metrics.type(gauge)).isEqualTo("gauge");
        assertThat(metrics.one(gauge).labels()).containsEntry("model_name", FakeWorker.MODEL);
    }

    @Test
    void tellsTheCacheInOneSample() {
        assertThat(scrape().one("vllm:cache_config_info"))
                .isEqualTo(new MetricsText.Sample(
                        "vllm:cache_config_info", Map.of("block_size", "16", "num_gpu_blocks", "128"), 1));
    }

    @Test
    void namesIdleAdaptersThatAreThere() {
        MetricsText metrics = scrape();
        assertThat(running(metrics)).contains("math", "reasoning").isSorted();
        assertThat(loaded(metrics)).isEqualTo(running(metrics));
        assertThat(names(metrics, "waiting_lora_adapters")).isEmpty();
        assertThat(metrics.one("vllm:num_gpu_loaded_lora_adapters").value())
                .isEqualTo(running(metrics).size());
        assertThat(Integer.parseInt(
                        metrics.one("vllm:lora_requests_info").labels().get("max_lora")))
                .isGreaterThanOrEqualTo(running(metrics).size());
    }

    @Test
    void namesAnUnloadedAdapterNoMore() {
        given().post(ADAPTER + "/unload").then().statusCode(200);
        MetricsText metrics = scrape();
        assertThat(running(metrics)).doesNotContain("reasoning");
        assertThat(loaded(metrics)).doesNotContain("reasoning");
        given().get("/v1/models").then().body("data.id", not(hasItem("reasoning")));
    }

    @Test
    void theTimeOfTheAdaptersNeverFalls() throws InterruptedException {
        double last = 0;
        for (int i = 0; i < 5; i++) {
            double value = scrape().one("vllm:lora_requests_info").value();
            assertThat(value).isGreaterThan(last);
            last = value;
            Thread.sleep(5);
        }
    }

    @Test
    void countsRequestsByAdapter() throws Exception {
        MetricsText before = scrape();
        complete("math");
        String last = "lory_adapter_queue_time_seconds_count"; // what was answered is counted a moment later
        Eventually.is(() -> of(scrape(), last, "adapter", "math") - of(before, last, "adapter", "math"), 1.0);
        MetricsText after = scrape();
        for (String name : List.of("lory_adapter_requests_total", "lory_adapter_time_to_first_token_seconds_count")) {
            assertThat(of(after, name, "adapter", "math") - of(before, name, "adapter", "math"))
                    .as(name)
                    .isEqualTo(1);
        }
        String tokens = "lory_adapter_generated_tokens_total";
        assertThat(of(after, tokens, "adapter", "math")).isGreaterThan(of(before, tokens, "adapter", "math"));
        for (String name : List.of("time_to_first_token", "e2e_request_latency", "request_queue_time")) {
            String count = "vllm:" + name + "_seconds_count";
            assertThat(of(after, count, "model_name", FakeWorker.MODEL)
                            - of(before, count, "model_name", FakeWorker.MODEL))
                    .as(name)
                    .isEqualTo(1);
        }
    }

    private static double of(MetricsText metrics, String name, String label, String value) {
        return metrics.of(name).stream()
                .filter(sample -> value.equals(sample.labels().get(label)))
                .mapToDouble(MetricsText.Sample::value)
                .sum();
    }

    /** The reader above is worth something only if it refuses something. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "a 1",
                "# TYPE a gauge\na 1\na 2\n",
                "# TYPE a gauge\na{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 2\n",
                "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# HELP a late\na{x=\"y\"} 1\n",
                "# TYPE a gauge\na{b=\"\"\"} 1\n",
                "# TYPE a gauge\na one\n",
                "# TYPE a gauge\nb 1\n",
                "a 1\n",
                "# TYPE a gauge\na 1\n# EOF\n",
                "# TYPE a gauge\na 1 # {trace=\"x\"} 1\n",
                "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
                "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n"
            })
    void theReaderIsStrict(String text) {
        assertThatThrownBy(() -> MetricsText.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void escapesNames() {
        String name = "a\"b\\c\nd,é";
        String text = new Exposition()
                .single("a", "gauge", "b", Map.of("name", name), 0.5)
                .toString();
        assertThat(MetricsText.parse(text).one("a")).isEqualTo(new MetricsText.Sample("a", Map.of("name", name), 0.5));
    }
}
