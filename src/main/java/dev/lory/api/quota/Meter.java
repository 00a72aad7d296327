package dev.lory.api.quota;

import dev.lory.api.quota.LimitsConfig.Limit;
import java.time.Duration;

/** The limits of one tenant or adapter, and how much of them is used. Guarded by {@link Quotas}. */
final class Meter {
    /** What stands against a request, and for how long. */
    record Refusal(Duration retryAfter, String detail) {
        static final Refusal NONE = new Refusal(Duration.ZERO, "");
    }

    /** Nobody knows when a request ends; clients ask again soon. */
    private static final Duration SOON = Duration.ofSeconds(1);

    final String subject;
    final Bucket requests;
    final Bucket tokens;
    private final int concurrency;
    private int running;

    /** @param subject in words, such as {@code tenant acme} */
    Meter(String subject, Limit limit, long now) {
        this.subject = subject;
        this.requests = new Bucket(limit.requestsPerMinute(), now);
        this.tokens = new Bucket(limit.tokensPerMinute(), now);
        this.concurrency = limit.concurrency();
    }

    /** Why a request of so many tokens cannot come now: what stands longest. */
    Refusal refusal(double wanted, long now) {
        Refusal refusal = concurrency > 0 && running >= concurrency
                ? new Refusal(SOON, subject + " has " + running + " requests under way, as many as it may")
                : Refusal.NONE;
        refusal = longer(
                refusal,
                requests.until(1, now),
                subject + " has had its " + requests.perMinute() + " requests per minute");
        return longer(
                refusal,
                tokens.until(wanted, now),
                subject + " has " + tokens.remaining(now) + " of its " + tokens.perMinute()
                        + " tokens per minute left, and this request may take " + (long) wanted);
    }

    private static Refusal longer(Refusal refusal, Duration until, String detail) {
        return until.compareTo(refusal.retryAfter()) > 0 ? new Refusal(until, detail) : refusal;
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
