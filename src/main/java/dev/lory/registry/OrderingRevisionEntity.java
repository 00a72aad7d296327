package dev.lory.registry;

import dev.lory.ordering.OrderingFile;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.JoinColumn;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.Table;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.hibernate.annotations.Immutable;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.type.SqlTypes;

/** One content of an ordering file; never changed. */
@Entity
@Immutable
@Table(name = "ordering_revision")
class OrderingRevisionEntity {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    @ManyToOne(optional = false)
    @JoinColumn(name = "ordering_id")
    private OrderingFileEntity file;

    @Column
    private int revision;

    @Column
    private String sha256;

    @Column
    @JdbcTypeCode(SqlTypes.JSON)
    private String content;

    @Column
    private String comment;

    @Column(name = "created_by")
    private String createdBy;

    @Column(name = "created_at")
    private Instant createdAt;

    protected OrderingRevisionEntity() {}

    OrderingRevisionEntity(
            OrderingFileEntity file, int revision, String sha256, byte[] content, String comment, String createdBy) {
        this.file = file;
        this.revision = revision;
        this.sha256 = sha256;
        this.content = new String(content, StandardCharsets.UTF_8);
        this.comment = comment;
        this.createdBy = createdBy;
        this.createdAt = Instant.now().truncatedTo(ChronoUnit.MICROS);
    }

    long id() {
        return id;
    }

    String sha256() {
        return sha256;
    }

    /** As it was uploaded. */
    byte[] content() {
        return content.getBytes(StandardCharsets.UTF_8);
    }

    int revision() {
        return revision;
    }

    OrderingRevision view() {
        return new OrderingRevision(
                file.name(), revision, sha256, comment, createdBy, createdAt, OrderingFile.parse(content()));
    }
}
