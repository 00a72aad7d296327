package dev.lory.registry;

import dev.lory.worker.WorkerStatus.ModelInfo;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** A base model that a worker has served, and the revision of what its workers are to keep. */
@Entity
@Table(name = "base_model")
class BaseModelEntity {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    @Column(name = "model_id")
    private String modelId;

    @Column
    private String architecture;

    @Column
    private String source;

    @Column
    private String digest;

    @Column(name = "desired_revision")
    private long desiredRevision;

    protected BaseModelEntity() {}

    /** As the worker found it. */
    void describe(ModelInfo model) {
        architecture = model.architecture();
        source = model.source();
        digest = model.digest();
    }

    /** What workers are to keep has changed. */
    void changed() {
        desiredRevision++;
    }

    long id() {
        return id;
    }

    String modelId() {
        return modelId;
    }

    long desiredRevision() {
        return desiredRevision;
    }
}
