package dev.lory.api.quota;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.api.ApiKeys;
import dev.lory.api.quota.LimitsConfig.Limit;
import dev.lory.api.quota.Meter.Refusal;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * Lets requests in or refuses them, by the limits of their tenant and of each of their adapters. A request reserves the tokens it may take and
 * gives back what it did not: counting only what was taken would let a crowd in before the first of it has ended. Refused by one limit it takes
 * nothing of the others. Any thread may call.
 */
@ApplicationScoped
public class Quotas {
    private final LimitsConfig limits;
    private final MeterRegistry registry;
    private final LongSupplier clock;
    private final boolean limited;
    private final Map<String, Meter> meters = new HashMap<>();

    @Inject
    Quotas(LimitsConfig limits, MeterRegistry registry) {
        this(limits, registry, System::nanoTime);
    }

    Quotas(LimitsConfig limits, MeterRegistry registry, LongSupplier clock) {
        this.limits = limits;
        this.registry = registry;
        this.clock = clock;
        this.limited = Stream.of(
                        List.of(limits.tenant(), limits.adapter()),
                        limits.tenants().values(),
                        limits.adapters().values())
                .flatMap(each -> each.stream())
                .anyMatch(Quotas::isLimit);
    }

    private static boolean isLimit(Limit limit) {
        return limit.requestsPerMinute() > 0 || limit.tokensPerMinute() > 0 || limit.concurrency() > 0;
    }

    /** A request that was let in, until it is closed. */
    public final class Admission implements AutoCloseable {
        private final List<Meter> counted;
        private final long reserved;
        private long used;
        private boolean closed;

        private Admission(List<Meter> counted, long reserved) {
            this.counted = List.copyOf(counted);
            this.reserved = reserved;
        }

        /** How many tokens it took, of prompts and answers. */
        public void used(long tokens) {
            used = tokens;
        }

        @Override
        public void close() {
            synchronized (Quotas.this) {
                if (!closed) {
                    closed = true;
                    long now = clock.getAsLong();
                    counted.forEach(meter -> meter.end((double) used - reserved, now));
                }
            }
        }
    }

    /**
     * Lets a request in.
     *
     * @param adapters their names; none = the base model
     * @param tokens that it may take at most, about
     * @param header is told OpenAI's {@code x-ratelimit-} headers where a limit applies, also if the request is refused
     * @throws ServiceException {@code RATE_LIMIT_EXCEEDED} with {@code retry_after} in seconds; {@code INVALID_REQUEST} if it could never pass
     */
    public Admission admit(String tenant, List<String> adapters, long tokens, HeaderSink header) {
        if (!limited) {
            return new Admission(List.of(), 0);
        }
        synchronized (this) {
            long now = clock.getAsLong();
            List<Meter> asked = meters(tenant, adapters, now);
            try {
                refuse(asked, tokens, now);
                asked.forEach(meter -> meter.begin(tokens, now));
            } finally {
                headers(asked, now).forEach(header::put);
            }
            return new Admission(asked, tokens);
        }
    }

    /** Takes a header of the answer. */
    public interface HeaderSink {
        void put(String name, String value);
    }

    private List<Meter> meters(String tenant, List<String> adapters, long now) {
        List<Meter> asked = new ArrayList<>();
        if (tenant.equals(ApiKeys.SELF)) {
            return asked;
        }
        add(asked, "tenant", tenant, limits.tenants().getOrDefault(tenant, limits.tenant()), now);
        for (String adapter : adapters) {
            add(asked, "adapter", adapter, limits.adapters().getOrDefault(adapter, limits.adapter()), now);
        }
        return asked;
    }

    private void add(List<Meter> asked, String kind, String name, Limit limit, long now) {
        if (isLimit(limit)) {
            asked.add(meters.computeIfAbsent(kind + " " + name, absent -> new Meter(kind, name, limit, now)));
        }
    }

    private void refuse(List<Meter> asked, long tokens, long now) {
        for (Meter meter : asked) {
            if (meter.tokens.isLimited() && tokens > meter.tokens.perMinute()) {
                throw invalid(
                        "max_tokens",
                        "this request may take " + tokens + " tokens, " + meter.subject + " may have "
                                + meter.tokens.perMinute() + " per minute; ask for fewer max_tokens");
            }
        }
        asked.stream()
                .map(meter -> meter.refusal(tokens, now))
                .filter(refusal -> refusal.retryAfter().isPositive())
                .max(Comparator.comparing(Refusal::retryAfter))
                .ifPresent(this::refuse);
    }

    private void refuse(Refusal refusal) {
        registry.counter("lory_requests_refused", "of", refusal.by().kind, "limit", refusal.limit())
                .increment();
        long seconds = refusal.retryAfter().plusNanos(999_999_999).toSeconds();
        throw new ServiceException(
                ErrorCode.RATE_LIMIT_EXCEEDED,
                refusal.detail() + "; try again in " + seconds + " s",
                Map.of("retry_after", seconds));
    }

    /** Of each kind those of the limit that is nearest to its end. */
    private static Map<String, String> headers(List<Meter> asked, long now) {
        Map<String, String> headers = new TreeMap<>();
        headers(headers, "requests", asked, meter -> meter.requests, now);
        headers(headers, "tokens", asked, meter -> meter.tokens, now);
        return headers;
    }

    private static void headers(
            Map<String, String> headers, String kind, List<Meter> asked, Function<Meter, Bucket> bucketOf, long now) {
        asked.stream()
                .map(bucketOf)
                .filter(Bucket::isLimited)
                .min(Comparator.comparing(bucket -> (double) bucket.remaining(now) / bucket.perMinute()))
                .ifPresent(bucket -> {
                    headers.put("x-ratelimit-limit-" + kind, Long.toString(bucket.perMinute()));
                    headers.put("x-ratelimit-remaining-" + kind, Long.toString(bucket.remaining(now)));
                    headers.put("x-ratelimit-reset-" + kind, words(bucket.untilFull(now)));
                });
    }

    /** As OpenAI writes times: {@code 350ms}, {@code 7s}, {@code 1m30s}. */
    private static String words(Duration time) {
        if (time.toSeconds() == 0) {
            return time.plusNanos(999_999).toMillis() + "ms";
        }
        long seconds = time.plusNanos(999_999_999).toSeconds();
        return (seconds < 60 ? "" : seconds / 60 + "m") + seconds % 60 + "s";
    }
}
