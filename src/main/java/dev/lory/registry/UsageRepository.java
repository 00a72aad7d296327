package dev.lory.registry;

import io.quarkus.hibernate.orm.panache.PanacheRepository;
import io.quarkus.panache.common.Sort;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.List;

/** The rows of the ledger. */
@ApplicationScoped
class UsageRepository implements PanacheRepository<UsageEntity> {
    /** Adds to the row of that hour, tenant and set, whoever else does at the same time. */
    void add(BaseModelEntity model, UsageRow row) {
        getEntityManager()
                .createQuery("""
                        insert into UsageEntity (baseModelId, hour, tenant, adapters,
                          requests, promptTokens, completionTokens, cachedTokens)
                        values (:model, :hour, :tenant, :adapters, :requests, :prompt, :completion, :cached)
                        on conflict (baseModelId, hour, tenant, adapters) do update set
                          requests = requests + excluded.requests,
                          promptTokens = promptTokens + excluded.promptTokens,
                          completionTokens = completionTokens + excluded.completionTokens,
                          cachedTokens = cachedTokens + excluded.cachedTokens""")
                .setParameter("model", model.id())
                .setParameter("hour", row.hour())
                .setParameter("tenant", row.tenant())
                .setParameter("adapters", row.adapters().toArray(String[]::new))
                .setParameter("requests", row.used().requests())
                .setParameter("prompt", row.used().promptTokens())
                .setParameter("completion", row.used().completionTokens())
                .setParameter("cached", row.used().cachedTokens())
                .executeUpdate();
    }

    /** Rows of hours that begin at or after {@code from} and before {@code to}, by hour, tenant and adapters. */
    List<UsageEntity> between(BaseModelEntity model, Instant from, Instant to) {
        return list(
                "baseModelId = ?1 and hour >= ?2 and hour < ?3",
                Sort.by("hour", "tenant", "adapters"),
                model.id(),
                from,
                to);
    }
}
