package dev.lory.registry;

import dev.lory.xlora.XLoraOverrides;
import io.quarkus.hibernate.orm.panache.PanacheRepository;
import io.quarkus.panache.common.Sort;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The rows of settings of X-LoRAs; of each the one with the highest revision counts. */
@ApplicationScoped
class XLoraSettingsRepository implements PanacheRepository<XLoraSettingsEntity> {

    /** By the adapter's id, of those that have any. */
    Map<Long, XLoraOverrides> latest(List<AdapterEntity> adapters) {
        return find("""
                from XLoraSettingsEntity s where s.adapterId in ?1
                and s.revision = (select max(o.revision) from XLoraSettingsEntity o where o.adapterId = s.adapterId)""", adapters.stream().map(AdapterEntity::id).toList()).stream()
                .collect(Collectors.toMap(XLoraSettingsEntity::adapterId, XLoraSettingsEntity::overrides));
    }

    /** The latest revision; empty if it was never set. */
    Optional<XLoraSettingsEntity> latest(AdapterEntity adapter) {
        return find("adapterId", Sort.descending("revision"), adapter.id()).firstResultOptional();
    }

    /** Newest first. */
    List<XLoraSettingsEntity> revisions(AdapterEntity adapter) {
        return list("adapterId", Sort.descending("revision"), adapter.id());
    }
}
