package dev.lory.registry;

import io.quarkus.hibernate.orm.panache.PanacheRepository;
import jakarta.enterprise.context.ApplicationScoped;

/** A row for each change, written in the change's own transaction. */
@ApplicationScoped
class AuditLog implements PanacheRepository<AuditEntity> {
    /**
     * @param action such as {@code activate}
     * @param subject what was changed, such as {@code adapter/math}
     * @param before in words; empty = it was not there
     */
    void record(String actor, String action, String subject, String before, String after) {
        persist(new AuditEntity(actor, action, subject, before, after));
    }
}
