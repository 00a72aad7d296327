package dev.lory.registry;

import io.quarkus.hibernate.orm.panache.PanacheRepositoryBase;
import io.quarkus.panache.common.Sort;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Optional;

/** The rows of activations; the one with the highest revision is current. */
@ApplicationScoped
class ActivationRepository implements PanacheRepositoryBase<ActivationEntity, Long> {

    Optional<ActivationEntity> latest(BaseModelEntity model) {
        return find("baseModelId", Sort.descending("revision"), model.id()).firstResultOptional();
    }

    Optional<ActivationEntity> revision(BaseModelEntity model, long revision) {
        return find("baseModelId = ?1 and revision = ?2", model.id(), revision).firstResultOptional();
    }

    /** Newest first. */
    List<ActivationEntity> newest(BaseModelEntity model, int atMost) {
        return find("baseModelId", Sort.descending("revision"), model.id())
                .page(0, atMost)
                .list();
    }
}
