package dev.lory.api.quota;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.matchesRegex;
import static org.hamcrest.Matchers.nullValue;

import dev.lory.database.DatabaseResource;
import dev.lory.registry.Eventually;
import dev.lory.registry.FakeWorkerFactory;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import jakarta.inject.Inject;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tenants, their limits and what they are billed, over HTTP; the worker is a fake. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
@TestProfile(QuotaApiTest.Tenants.class)
class QuotaApiTest {
    /** Keys for tenants, and limits for some of them. */
    public static final class Tenants implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "lory.admin-key", "admin-key",
                    "lory.api-keys.acme", "acme-key",
                    "lory.api-keys.small", "small-key",
                    "lory.api-keys.tiny", "tiny-key",
                    "lory.limits.tenants.small.requests-per-minute", "2",
                    "lory.limits.tenants.tiny.tokens-per-minute", "100",
                    "lory.limits.tenants.tiny.concurrency", "1");
        }
    }

    @Inject
    FakeWorkerFactory factory;

    private static RequestSpecification as(String tenant) {
        return given().header("Authorization", "Bearer " + tenant + "-key").contentType("application/json");
    }

    private static ValidatableResponse complete(String tenant, int maxTokens, Object... more) {
        Map<String, Object> body = new HashMap<>(Map.of("prompt", "abc", "max_tokens", maxTokens));
        for (int i = 0; i < more.length; i += 2) {
            body.put((String) more[i], more[i + 1]);
        }
        return as(tenant).body(body).post("/v1/completions").then();
    }

    @Test
    void everyTenantHasAKeyAndNoneOfThemAdministers() {
        given().contentType("application/json")
                .body("{}")
                .post("/v1/completions")
                .then()
                .statusCode(401);
        as("nobody").get("/v1/models").then().statusCode(401);
        as("acme").get("/v1/models").then().statusCode(200);
        as("acme").get("/api/v1/usage").then().statusCode(401);
        as("admin").get("/api/v1/usage").then().statusCode(200);
        as("admin").get("/v1/models").then().statusCode(401);
    }

    @Test
    void aLimitIsToldWithEveryAnswerAndRefusesWith429() {
        complete("acme", 3).statusCode(200).header("x-ratelimit-limit-requests", nullValue());
        complete("small", 3)
                .statusCode(200)
                .header("x-ratelimit-limit-requests", "2")
                .header("x-ratelimit-remaining-requests", "1")
                .header("x-ratelimit-reset-requests", matchesRegex("\\d+s"));
        complete("small", 3).statusCode(200).header("x-ratelimit-remaining-requests", "0");
        complete("small", 3)
                .statusCode(429)
                .header("Retry-After", matchesRegex("[12]?\\d|30"))
                .header("x-ratelimit-remaining-requests", "0")
                .body("error.type", equalTo("rate_limit_error"))
                .body("error.code", equalTo("rate_limit_exceeded"))
                .body("error.message", containsString("tenant small has had its 2 requests per minute; try again in "));
    }

    @Test
    void aRequestThatFailsGivesItsTokensAndItsPlaceBack() {
        factory.worker().failLoading("reasoning", "the worker refuses it");
        try {
            for (int i = 0; i < 20; i++) {
                complete("tiny", 60, "model", "unknown").statusCode(404);
                complete("tiny", 60, "model", "reasoning")
                        .statusCode(404)
                        .header("x-ratelimit-remaining-tokens", matchesRegex("[234]\\d"));
            }
        } finally {
            factory.worker().failLoading("reasoning", "");
        }
        complete("tiny", 60).statusCode(200);
        complete("tiny", 200)
                .statusCode(400)
                .body("error.message", containsString("tenant tiny may have 100 per minute"));
    }

    @Test
    void usageIsBilledToTheTenantByTheAdapters() throws Exception {
        Map<String, Object> before = usage("acme", "biology");
        complete("acme", 3, "adapters", List.of("math", "biology")).statusCode(200);
        complete("acme", 3, "adapters", List.of("biology", "math"), "stream", true)
                .statusCode(200);
        complete("acme", 3, "adapters", List.of("nobody")).statusCode(404);
        Eventually.is(() -> number(usage("acme", "biology"), "requests") - number(before, "requests"), 2L);
        Map<String, Object> after = usage("acme", "biology");
        assertThat(number(after, "prompt_tokens")).isGreaterThan(number(before, "prompt_tokens"));
        assertThat(number(after, "completion_tokens")).isGreaterThan(number(before, "completion_tokens"));
        as("admin")
                .get("/api/v1/usage?tenant=acme&adapter=biology")
                .then()
                .body("rows[0].adapters", equalTo(List.of("biology", "math")))
                .body("rows[0].tenant", equalTo("acme"))
                .body("rows[0].hour", matchesRegex("\\d{4}-\\d\\d-\\d\\dT\\d\\d:00:00Z"));
        as("admin").get("/api/v1/usage?tenant=lory").then().body("rows", equalTo(List.of()));
    }

    private static Map<String, Object> usage(String tenant, String adapter) {
        return as("admin")
                .get("/api/v1/usage?tenant=" + tenant + "&adapter=" + adapter)
                .path("total");
    }

    private static long number(Map<String, Object> total, String field) {
        return ((Number) total.getOrDefault(field, -1)).longValue();
    }

    @Test
    void aTimeThatIsNoneIsRefused() {
        as("admin")
                .get("/api/v1/usage?from=yesterday")
                .then()
                .statusCode(400)
                .body("detail", equalTo("from must be a time such as 2026-01-31T00:00:00Z but is yesterday"));
        as("admin")
                .get("/api/v1/usage?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z")
                .then()
                .statusCode(400);
    }
}
