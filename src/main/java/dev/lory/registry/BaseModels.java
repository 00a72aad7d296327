package dev.lory.registry;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.WorkerStatus.ModelInfo;
import io.quarkus.hibernate.orm.panache.PanacheRepository;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.persistence.LockModeType;
import java.util.Optional;

/** The rows of base models; the one of the served model is what writers lock, so that they come one after another. */
@ApplicationScoped
class BaseModels implements PanacheRepository<BaseModelEntity> {
    private final WorkerDirectory workers;

    BaseModels(WorkerDirectory workers) {
        this.workers = workers;
    }

    /** The served model's row, if there is one yet. */
    Optional<BaseModelEntity> served() {
        return find("modelId", workers.status().model().name()).firstResultOptional();
    }

    /** As {@link #served}. @throws ServiceException {@code UNAVAILABLE} if there is none yet */
    BaseModelEntity require() {
        return served().orElseThrow(BaseModels::notYet);
    }

    /** As {@link #require}, locked until the transaction ends. */
    BaseModelEntity lock() {
        return find("modelId", workers.status().model().name())
                .withLock(LockModeType.PESSIMISTIC_WRITE)
                .firstResultOptional()
                .orElseThrow(BaseModels::notYet);
    }

    private static ServiceException notYet() {
        return new ServiceException(ErrorCode.UNAVAILABLE, "the served model is not registered yet; try again later");
    }

    /** Makes or updates the row of a model. */
    BaseModelEntity register(ModelInfo model) {
        // A replica may do the same at this moment: the unique name decides, and both go on with one row.
        getEntityManager()
                .createNativeQuery("""
                        insert into base_model (model_id, architecture, source, digest, desired_revision)
                        values (:name, '', '', '', 1) on conflict (model_id) do nothing""")
                .setParameter("name", model.name())
                .executeUpdate();
        BaseModelEntity row = find("modelId", model.name())
                .withLock(LockModeType.PESSIMISTIC_WRITE)
                .firstResult();
        row.describe(model);
        return row;
    }
}
