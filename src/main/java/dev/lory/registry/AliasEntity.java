package dev.lory.registry;

import dev.lory.registry.Alias.Target;
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

/** One revision of what an alias stands for; never changed. */
@Entity
@Immutable
@Table(name = "adapter_alias")
class AliasEntity {
    /** What made it. */
    enum Cause {
        API,
        ROLLBACK,
        DELETE
    }

    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    @Column(name = "base_model_id")
    private long baseModelId;

    @Column
    private String name;

    @Column
    private int revision;

    @Column
    @JdbcTypeCode(SqlTypes.JSON)
    private List<Target> targets;

    @Column
    @Enumerated(EnumType.STRING)
    private Cause cause;

    @Column(name = "rollback_of")
    private @Nullable Integer rollbackOf;

    @Column
    private String actor;

    @Column
    private Instant at;

    protected AliasEntity() {}

    AliasEntity(BaseModelEntity model, String name, int revision, List<Target> targets, Cause cause, String actor) {
        this.baseModelId = model.id();
        this.name = name;
        this.revision = revision;
        this.targets = List.copyOf(targets);
        this.cause = cause;
        this.actor = actor;
        this.at = Instant.now().truncatedTo(ChronoUnit.MICROS);
    }

    /** The targets of this revision once more. */
    AliasEntity again(BaseModelEntity model, int newRevision, String newActor) {
        AliasEntity made = new AliasEntity(model, name, newRevision, targets, Cause.ROLLBACK, newActor);
        made.rollbackOf = revision;
        return made;
    }

    boolean isDeleted() {
        return cause == Cause.DELETE;
    }

    String name() {
        return name;
    }

    int revision() {
        return revision;
    }

    List<Target> targets() {
        return targets;
    }

    Alias view() {
        return new Alias(name, revision, targets, cause.name(), rollbackOf == null ? 0 : rollbackOf, actor, at);
    }
}
