package dev.lory.registry;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.ordering.AdapterNames;
import io.quarkus.hibernate.orm.panache.PanacheRepository;
import io.quarkus.panache.common.Sort;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Optional;

/** The rows of adapters and of their transitions. */
@ApplicationScoped
class AdapterRepository implements PanacheRepository<AdapterEntity> {

    /** By name; a retired one is a memory, and another may have its name. */
    List<AdapterEntity> of(BaseModelEntity model) {
        return list("baseModelId = ?1 and state <> ?2", Sort.by("name"), model.id(), AdapterState.RETIRED);
    }

    Optional<AdapterEntity> named(BaseModelEntity model, String name) {
        if (AdapterNames.fault(name).isPresent()) {
            return Optional.empty(); // PostgreSQL does not take every character
        }
        return find("baseModelId = ?1 and name = ?2 and state <> ?3", model.id(), name, AdapterState.RETIRED)
                .firstResultOptional();
    }

    /** Of any model; retired ones do not need theirs. */
    boolean needs(String source) {
        return count("source = ?1 and state <> ?2", source, AdapterState.RETIRED) > 0;
    }

    /** @throws ServiceException {@code ADAPTER_NOT_FOUND} naming it */
    AdapterEntity require(BaseModelEntity model, String name) {
        return named(model, name)
                .orElseThrow(() ->
                        new ServiceException(ErrorCode.ADAPTER_NOT_FOUND, "no adapter `" + name + "` is registered"));
    }

    /**
     * The only place that changes an adapter's state: goes to {@code target} by allowed moves and records each. Does nothing if it is there.
     *
     * @throws ServiceException {@code CONFLICT} if no allowed moves lead there
     */
    void move(AdapterEntity adapter, AdapterState target, String reason, String actor) {
        if (adapter.state() == target) {
            return;
        }
        List<AdapterState> path = adapter.state().pathTo(target);
        if (path.isEmpty()) {
            throw new ServiceException(
                    ErrorCode.CONFLICT,
                    "adapter `" + adapter.name() + "` is " + adapter.state() + " and cannot become " + target);
        }
        for (AdapterState next : path) {
            getEntityManager().persist(new AdapterTransitionEntity(adapter.id(), adapter.state(), next, reason, actor));
            adapter.enter(next, reason);
        }
    }

    /** Oldest first. */
    List<AdapterTransition> transitions(AdapterEntity adapter) {
        return getEntityManager()
                .createQuery(
                        "from AdapterTransitionEntity where adapterId = :id order by id", AdapterTransitionEntity.class)
                .setParameter("id", adapter.id())
                .getResultStream()
                .map(AdapterTransitionEntity::view)
                .toList();
    }
}
