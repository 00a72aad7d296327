package dev.lory.registry;

import dev.lory.ordering.AdapterNames;
import io.quarkus.hibernate.orm.panache.PanacheRepository;
import io.quarkus.panache.common.Sort;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Optional;

/** The rows of aliases; of each name the one with the highest revision counts. */
@ApplicationScoped
class AliasRepository implements PanacheRepository<AliasEntity> {
    private static final String NAMED = "baseModelId = ?1 and name = ?2";

    /** The latest revision of each name, by name; also of deleted ones. */
    List<AliasEntity> latest(BaseModelEntity model) {
        return find("""
                from AliasEntity a where a.baseModelId = ?1
                and a.revision = (select max(o.revision) from AliasEntity o
                  where o.baseModelId = a.baseModelId and o.name = a.name)
                order by a.name""", model.id()).list();
    }

    /** The latest revision of a name, also if it was deleted. */
    Optional<AliasEntity> last(BaseModelEntity model, String name) {
        return isName(name)
                ? find(NAMED, Sort.descending("revision"), model.id(), name).firstResultOptional()
                : Optional.empty();
    }

    /** The latest revision of a name that was not deleted. */
    Optional<AliasEntity> named(BaseModelEntity model, String name) {
        return last(model, name).filter(alias -> !alias.isDeleted());
    }

    /** Newest first; none if there never was such a name. */
    List<AliasEntity> revisions(BaseModelEntity model, String name) {
        return isName(name) ? list(NAMED, Sort.descending("revision"), model.id(), name) : List.of();
    }

    /** Whether anything can be called that; PostgreSQL does not take every character. */
    private static boolean isName(String name) {
        return AdapterNames.fault(name).isEmpty();
    }

    /** An alias with the adapter in one of its targets. */
    Optional<AliasEntity> using(BaseModelEntity model, String adapter) {
        return latest(model).stream()
                .filter(alias -> alias.targets().stream()
                        .flatMap(target -> target.adapters().stream())
                        .anyMatch(used -> used.name().equals(adapter)))
                .findFirst();
    }
}
