package dev.lory.registry;

import dev.lory.worker.AdapterKind;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.DesiredState.Residency;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.xlora.XLoraOverrides;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.nio.file.Path;
import java.util.List;

/** An adapter by name, and its state; only {@link AdapterRepository#move} changes the state. */
@Entity
@Table(name = "adapter")
class AdapterEntity {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    @Column(name = "base_model_id")
    private long baseModelId;

    @Column
    private String name;

    @Column
    @Enumerated(EnumType.STRING)
    private AdapterKind kind;

    @Column
    private String source;

    @Column
    private String digest;

    @Column
    private int rank;

    @Column(name = "target_modules", columnDefinition = "text[]")
    private String[] targetModules;

    @Column
    private long bytes;

    @Column
    @Enumerated(EnumType.STRING)
    private Residency residency;

    @Column
    private long generation;

    @Column(name = "wanted_at")
    private long wantedAt;

    @Column
    @Enumerated(EnumType.STRING)
    private AdapterState state;

    @Column(name = "state_reason")
    private String stateReason;

    @Version
    @Column
    private int version;

    protected AdapterEntity() {}

    AdapterEntity(BaseModelEntity model, String name, AdapterKind kind, String source) {
        this.baseModelId = model.id();
        this.name = name;
        this.kind = kind;
        this.source = source;
        this.digest = "";
        this.targetModules = new String[0];
        this.residency = Residency.ON_DEMAND;
        this.state = AdapterState.REGISTERED;
        this.stateReason = "";
    }

    /** For {@link AdapterRepository#move} only. */
    void enter(AdapterState next, String reason) {
        state = next;
        stateReason = reason;
    }

    /** Its files are to be read again, or for the first time. */
    void readFrom(String newSource, AdapterKind newKind) {
        source = newSource;
        kind = newKind;
        generation++;
    }

    /** It is to be loaded as of this desired revision, even if another must go. */
    void wantAt(long revision) {
        wantedAt = revision;
    }

    String digest() {
        return digest;
    }

    void keep(Residency wanted) {
        residency = wanted;
    }

    Residency residency() {
        return residency;
    }

    /** What workers are told. */
    DesiredAdapter desired(Path folder, XLoraOverrides overrides) {
        return new DesiredAdapter(name, folder.toString(), generation, residency, wantedAt, overrides);
    }

    /** What the worker found in it; a status without digest says nothing. */
    void describe(AdapterStatus found) {
        if (!isDescribedBy(found)) {
            digest = found.digest();
            rank = found.rank();
            bytes = found.bytes();
            targetModules = found.targetModules().toArray(String[]::new);
        }
    }

    boolean isDescribedBy(AdapterStatus found) {
        return found.digest().isEmpty() || found.digest().equals(digest);
    }

    long id() {
        return id;
    }

    String name() {
        return name;
    }

    AdapterKind kind() {
        return kind;
    }

    String source() {
        return source;
    }

    AdapterState state() {
        return state;
    }

    String stateReason() {
        return stateReason;
    }

    Adapter view() {
        return new Adapter(
                name,
                kind,
                source,
                digest,
                rank,
                List.of(targetModules),
                bytes,
                residency,
                state,
                stateReason,
                version);
    }
}
