package dev.lory.registry;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.List;
import org.hibernate.annotations.Immutable;

/** A row of the ledger. Read as it is, written by {@link UsageRepository#add} only, which adds. */
@Entity
@Immutable
@Table(name = "usage_ledger")
class UsageEntity {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    @Column(name = "base_model_id")
    private long baseModelId;

    @Column
    private Instant hour;

    @Column
    private String tenant;

    @Column(columnDefinition = "text[]")
    private String[] adapters;

    @Column
    private long requests;

    @Column(name = "prompt_tokens")
    private long promptTokens;

    @Column(name = "completion_tokens")
    private long completionTokens;

    @Column(name = "cached_tokens")
    private long cachedTokens;

    protected UsageEntity() {}

    UsageRow view() {
        return new UsageRow(
                hour, tenant, List.of(adapters), new UsageSum(requests, promptTokens, completionTokens, cachedTokens));
    }
}
