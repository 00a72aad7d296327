package dev.lory.api.quota;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Map;

/** What requests are limited to, by who asks and by what they run with. Each service process counts for itself. */
@ConfigMapping(prefix = "lory.limits")
public interface LimitsConfig {
    /** Of each tenant that is not in {@link #tenants}. */
    Limit tenant();

    /** Of single tenants, in place of {@link #tenant}. */
    Map<String, Limit> tenants();

    /** Of each adapter that is not in {@link #adapters}; a request counts for each of its adapters. */
    Limit adapter();

    /** Of single adapters, in place of {@link #adapter}. */
    Map<String, Limit> adapters();

    /** 0 = no limit. */
    interface Limit {
        /** As many at once, and from then on evenly. */
        @WithDefault("0")
        long requestsPerMinute();

        /** Of prompts and answers together: as many at once, and from then on evenly. */
        @WithDefault("0")
        long tokensPerMinute();

        /** Requests at the same time. */
        @WithDefault("0")
        int concurrency();
    }
}
