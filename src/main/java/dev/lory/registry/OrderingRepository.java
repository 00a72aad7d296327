package dev.lory.registry;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import io.quarkus.hibernate.orm.panache.PanacheRepository;
import io.quarkus.panache.common.Sort;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Optional;

/** The rows of ordering files and their revisions. */
@ApplicationScoped
class OrderingRepository implements PanacheRepository<OrderingRevisionEntity> {

    OrderingFileEntity named(BaseModelEntity model, String name) {
        return existing(model, name).orElseGet(() -> {
            OrderingFileEntity made = new OrderingFileEntity(model, name);
            getEntityManager().persist(made);
            return made;
        });
    }

    private Optional<OrderingFileEntity> existing(BaseModelEntity model, String name) {
        return getEntityManager()
                .createQuery(
                        "from OrderingFileEntity where baseModelId = :model and name = :name", OrderingFileEntity.class)
                .setParameter("model", model.id())
                .setParameter("name", name)
                .getResultStream()
                .findFirst();
    }

    /** The newest revision with this content. */
    Optional<OrderingRevisionEntity> withDigest(OrderingFileEntity file, String sha256) {
        return find("file = ?1 and sha256 = ?2", Sort.descending("revision"), file, sha256)
                .firstResultOptional();
    }

    Optional<OrderingRevisionEntity> last(OrderingFileEntity file) {
        return find("file", Sort.descending("revision"), file).firstResultOptional();
    }

    /** The latest revision of each name, by name. */
    List<OrderingRevisionEntity> latest(BaseModelEntity model) {
        return find("""
                from OrderingRevisionEntity r join fetch r.file f
                where f.baseModelId = ?1
                and r.revision = (select max(o.revision) from OrderingRevisionEntity o where o.file = f)
                order by f.name""", model.id()).list();
    }

    /** Newest first; {@code NOT_FOUND} if there is no such name. */
    List<OrderingRevisionEntity> revisions(BaseModelEntity model, String name) {
        List<OrderingRevisionEntity> found = existing(model, name)
                .map(file -> list("file", Sort.descending("revision"), file))
                .orElse(List.of());
        if (found.isEmpty()) {
            throw new ServiceException(ErrorCode.NOT_FOUND, "there is no ordering `" + name + "`");
        }
        return found;
    }
}
