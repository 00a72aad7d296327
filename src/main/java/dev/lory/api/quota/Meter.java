package dev.lory.api.quota;

import dev.lory.api.quota.LimitsConfig.Limit;
import java.time.Duration;
import java.util.Comparator;
import java.util.stream.Stream;

/** The limits of one tenant or adapter, and how much of them is used. Guarded by {@link Quotas}. */
final class Meter {
    /** What stands against a request, and for how long. @param limit its name, such as {@code tokens} */
    record Refusal(Meter by, String limit, Duration retryAfter, String detail) {}

    /** Nobody knows when a request ends; clients ask again soon. */
    private static final Duration SOON = Duration.ofSeconds(1);

    /** {@code tenant} or {@code adapter}. */
    final String kind;

    final String subject;
    final Bucket requests;
    final Bucket tokens;
    private final int concurrency;
    private int running;

    /** @param kind {@code tenant} or {@code adapter} */
    Meter(String kind, String name, Limit limit, long now) {
        this.kind = kind;
        this.subject = kind + " " + name;
        this.requests = new Bucket(limit.requestsPerMinute(), now);
        this.tokens = new Bucket(limit.tokensPerMinute(), now);
        this.concurrency = limit.concurrency();
    }

    /** Why a request of so many tokens cannot come now: what stands longest, for no time if nothing does. */
    Refusal refusal(double wanted, long now) {
        return Stream.of(
                        new Refusal(
                                this,
                                "concurrency",
                                concurrency > 0 && running >= concurrency ? SOON : Duration.ZERO,
                                subject + " has " + running + " requests under way, as many as it may"),
                        new Refusal(
                                this,
                                "requests",
                                requests.until(1, now),
                                subject + " has had its " + requests.perMinute() + " requests per minute"),
                        new Refusal(
                                this,
                                "tokens",
                                tokens.until(wanted, now),
                                subject + " has " + tokens.remaining(now) + " of its " + tokens.perMinute()
                                        + " tokens per minute left, and this request may take " + (long) wanted))
                .max(Comparator.comparing(Refusal::retryAfter))
                .orElseThrow();
    }

    void begin(double reserved, long now) {
        running++;
        requests.take(1, now);
        tokens.take(reserved, now);
    }

    /** @param correction what it took beyond what was reserved; less than nothing if it took less */
    void end(double correction, long now) {
        running--;
        tokens.take(correction, now);
    }
}
