package dev.lory.registry;

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
import org.hibernate.annotations.Immutable;

/** One move of an adapter from state to state; never changed. */
@Entity
@Immutable
@Table(name = "adapter_transition")
class AdapterTransitionEntity {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    @Column(name = "adapter_id")
    private long adapterId;

    @Column(name = "from_state")
    @Enumerated(EnumType.STRING)
    private AdapterState from;

    @Column(name = "to_state")
    @Enumerated(EnumType.STRING)
    private AdapterState to;

    @Column
    private String reason;

    @Column
    private String actor;

    @Column
    private Instant at;

    protected AdapterTransitionEntity() {}

    AdapterTransitionEntity(long adapterId, AdapterState from, AdapterState to, String reason, String actor) {
        this.adapterId = adapterId;
        this.from = from;
        this.to = to;
        this.reason = reason;
        this.actor = actor;
        this.at = Instant.now().truncatedTo(ChronoUnit.MICROS);
    }

    AdapterTransition view() {
        return new AdapterTransition(from, to, reason, actor, at);
    }
}
