package dev.lory.registry;

import dev.lory.worker.GenerationRequest.WeightedAdapter;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.hibernate.annotations.Immutable;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.type.SqlTypes;
import org.jspecify.annotations.Nullable;

/** One revision of what is active; never changed. */
@Entity
@Immutable
@Table(name = "activation")
class ActivationEntity {
    /** What made it. */
    enum Cause {
        API,
        ORDER,
        ROLLBACK
    }

    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long revision;

    @Column(name = "base_model_id")
    private long baseModelId;

    @Column
    @JdbcTypeCode(SqlTypes.JSON)
    private List<WeightedAdapter> adapters;

    @Column(name = "ordering_revision_id")
    private @Nullable Long orderingRevisionId;

    @Column
    @Enumerated(EnumType.STRING)
    private Cause cause;

    @Column(name = "rollback_of")
    private @Nullable Long rollbackOf;

    @Column
    private String actor;

    @Column
    private Instant at;

    protected ActivationEntity() {}

    static ActivationEntity byRequest(BaseModelEntity model, List<WeightedAdapter> adapters, String actor) {
        ActivationEntity made = new ActivationEntity();
        made.baseModelId = model.id();
        made.adapters = List.copyOf(adapters);
        made.cause = Cause.API;
        made.actor = actor;
        made.at = Instant.now().truncatedTo(ChronoUnit.MICROS);
        return made;
    }

    static ActivationEntity byOrder(
            BaseModelEntity model, List<WeightedAdapter> adapters, long orderingRevisionId, String actor) {
        ActivationEntity made = byRequest(model, adapters, actor);
        made.orderingRevisionId = orderingRevisionId;
        made.cause = Cause.ORDER;
        return made;
    }

    /** The set of an older revision once more. */
    static ActivationEntity byRollback(BaseModelEntity model, ActivationEntity to, String actor) {
        ActivationEntity made = byRequest(model, to.adapters, actor);
        made.rollbackOf = to.revision;
        made.cause = Cause.ROLLBACK;
        return made;
    }

    long revision() {
        return revision;
    }

    List<WeightedAdapter> adapters() {
        return adapters;
    }

    Activation view() {
        return new Activation(revision, adapters, cause.name(), rollbackOf == null ? 0 : rollbackOf, actor, at);
    }
}
