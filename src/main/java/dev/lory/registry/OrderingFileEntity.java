package dev.lory.registry;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** The name that revisions of an ordering file share. */
@Entity
@Table(name = "ordering_file")
class OrderingFileEntity {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    @Column(name = "base_model_id")
    private long baseModelId;

    @Column
    private String name;

    protected OrderingFileEntity() {}

    OrderingFileEntity(BaseModelEntity model, String name) {
        this.baseModelId = model.id();
        this.name = name;
    }

    long id() {
        return id;
    }

    String name() {
        return name;
    }
}
