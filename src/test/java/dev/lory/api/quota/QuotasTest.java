package dev.lory.api.quota;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.lory.api.quota.LimitsConfig.Limit;
import dev.lory.api.quota.Quotas.Admission;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Limits with a clock that is set by hand. */
final class QuotasTest {
    private record Given(long requestsPerMinute, long tokensPerMinute, int concurrency) implements Limit {}

    private record Config(Limit tenant, Map<String, Limit> tenants, Limit adapter, Map<String, Limit> adapters)
            implements LimitsConfig {}

    private static final Limit NONE = new Given(0, 0, 0);

    private final Map<String, String> headers = new HashMap<>();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private long now = 1_000_000_000_000L;

    private Quotas quotas(Limit tenant, Limit adapter) {
        return new Quotas(
                new Config(tenant, Map.of("rich", NONE), adapter, Map.of("busy", new Given(0, 0, 1))),
                meters,
                () -> now);
    }

    private Admission admit(Quotas quotas, String tenant, long tokens, String... adapters) {
        headers.clear();
        return quotas.admit(tenant, List.of(adapters), tokens, headers::put);
    }

    private long refused(Quotas quotas, String tenant, long tokens, String... adapters) {
        ServiceException refusal =
                catchThrowableOfType(ServiceException.class, () -> admit(quotas, tenant, tokens, adapters));
        assertThat(refusal.code()).isEqualTo(ErrorCode.RATE_LIMIT_EXCEEDED);
        return (long) refusal.members().getOrDefault("retry_after", -1L);
    }

    private void pass(double seconds) {
        now += (long) (seconds * 1e9);
    }

    @Test
    void withoutLimitsNothingIsSaid() {
        Quotas quotas = new Quotas(new Config(NONE, Map.of(), NONE, Map.of()), meters, () -> now);
        for (int i = 0; i < 1000; i++) {
            admit(quotas, "anybody", 1_000_000, "math");
        }
        assertThat(headers).isEmpty();
    }

    @Test
    void aMinutesRequestsComeAtOnceAndThenEvenly() {
        Quotas quotas = quotas(new Given(6, 0, 0), NONE);
        for (int i = 0; i < 6; i++) {
            admit(quotas, "acme", 0).close();
            assertThat(headers)
                    .containsEntry("x-ratelimit-limit-requests", "6")
                    .containsEntry("x-ratelimit-remaining-requests", Integer.toString(5 - i))
                    .containsEntry("x-ratelimit-reset-requests", i == 5 ? "1m0s" : 10 * (i + 1) + "s")
                    .doesNotContainKey("x-ratelimit-limit-tokens");
        }
        assertThat(refused(quotas, "acme", 0)).isEqualTo(10);
        assertThat(headers).containsEntry("x-ratelimit-remaining-requests", "0");
        admit(quotas, "other", 0).close();
        admit(quotas, "rich", 0).close();
        pass(9.5);
        assertThat(refused(quotas, "acme", 0)).isEqualTo(1);
        pass(0.5);
        admit(quotas, "acme", 0).close();
        refused(quotas, "acme", 0);
    }

    @Test
    void tokensAreReservedAndGivenBack() {
        Quotas quotas = quotas(new Given(0, 600, 0), NONE);
        Admission first = admit(quotas, "acme", 500);
        assertThat(refused(quotas, "acme", 200)).isEqualTo(10);
        first.used(50);
        first.close();
        first.close();
        admit(quotas, "acme", 200);
        assertThat(headers).containsEntry("x-ratelimit-remaining-tokens", "350");
    }

    /** Who names no max_tokens reserves few and may take many: what is missing then comes before the next request. */
    @Test
    void whatWasTakenBeyondIsMissingAfterwards() {
        Quotas quotas = quotas(new Given(0, 60, 0), NONE);
        Admission first = admit(quotas, "acme", 10);
        first.used(120);
        first.close();
        assertThat(refused(quotas, "acme", 1)).isEqualTo(61);
        assertThat(headers).containsEntry("x-ratelimit-remaining-tokens", "0");
    }

    @Test
    void whatCanNeverPassIsNotToldToComeAgain() {
        Quotas quotas = quotas(new Given(0, 100, 0), NONE);
        assertThatThrownBy(() -> admit(quotas, "acme", 101))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                .hasMessage("this request may take 101 tokens, tenant acme may have 100 per minute; "
                        + "ask for fewer max_tokens");
    }

    @Test
    void countsForEachOfTheAdaptersAndForAllOrNone() {
        Quotas quotas = quotas(NONE, new Given(1, 0, 0));
        Admission busy = admit(quotas, "acme", 0, "busy");
        assertThat(refused(quotas, "acme", 0, "math", "busy")).isEqualTo(1);
        admit(quotas, "acme", 0, "math").close(); // the refused one took nothing of it
        assertThat(refused(quotas, "acme", 0, "math")).isEqualTo(60);
        busy.close();
        admit(quotas, "acme", 0, "busy").close();
        admit(quotas, "acme", 0).close();
    }

    @Test
    void namesWhoseLimitItIs() {
        Quotas quotas = quotas(NONE, NONE);
        admit(quotas, "acme", 0, "busy");
        assertThatThrownBy(() -> admit(quotas, "acme", 0, "busy"))
                .hasMessage("adapter busy has 1 requests under way, as many as it may; try again in 1 s");
        assertThat(meters.counter("lory_requests_refused", "of", "adapter", "limit", "concurrency")
                        .count())
                .isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void noStretchOfTimeHasMoreThanTheLimitAllows(long seed) {
        Random random = new Random(seed);
        Quotas quotas = quotas(new Given(30, 3000, 4), NONE);
        List<long[]> admitted = new ArrayList<>(); // time, tokens
        List<Admission> open = new ArrayList<>();
        for (int step = 0; step < 5000; step++) {
            pass(random.nextDouble() * 1.5);
            long tokens = random.nextInt(300);
            try {
                Admission admission = admit(quotas, "acme", tokens);
                admission.used(tokens);
                open.add(admission);
                admitted.add(new long[] {now, tokens});
            } catch (ServiceException refusal) {
                if (random.nextInt(10) == 0) {
                    keepsItsWord(quotas, refusal, open, tokens);
                    admitted.add(new long[] {now, tokens});
                }
            }
            assertThat(open.size()).as("seed %d", seed).isLessThanOrEqualTo(4);
            if (!open.isEmpty() && random.nextInt(3) == 0) {
                open.remove(random.nextInt(open.size())).close();
            }
        }
        for (int from = 0; from < admitted.size(); from += 7) {
            long tokens = 0;
            for (int to = from; to < Math.min(admitted.size(), from + 200); to++) {
                double minutes = (admitted.get(to)[0] - admitted.get(from)[0]) / 60e9;
                tokens += admitted.get(to)[1];
                assertThat(to - from + 1).as("seed %d", seed).isLessThanOrEqualTo((int) (30 * (1 + minutes) + 1e-6));
                assertThat((double) tokens).as("seed %d", seed).isLessThanOrEqualTo(3000 * (1 + minutes) + 1e-6);
            }
        }
    }

    /** Who comes back when he was told to is let in, if nobody else came and those before him have ended. */
    private void keepsItsWord(Quotas quotas, ServiceException refusal, List<Admission> open, long tokens) {
        open.forEach(Admission::close);
        open.clear();
        pass((long) refusal.members().getOrDefault("retry_after", -1L));
        Admission admission = admit(quotas, "acme", tokens);
        admission.used(tokens);
        open.add(admission);
    }
}
