package dev.lory.registry;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.hibernate.annotations.Immutable;

/** Who changed what, and when; never changed. */
@Entity
@Immutable
@Table(name = "audit")
class AuditEntity {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    @Column
    private Instant at;

    @Column
    private String actor;

    @Column
    private String action;

    @Column
    private String subject;

    @Column
    private String before;

    @Column
    private String after;

    protected AuditEntity() {}

    AuditEntity(String actor, String action, String subject, String before, String after) {
        this.at = Instant.now().truncatedTo(ChronoUnit.MICROS);
        this.actor = actor;
        this.action = action;
        this.subject = subject;
        this.before = before;
        this.after = after;
    }
}
