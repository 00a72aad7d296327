package dev.lory.registry;

import dev.lory.xlora.XLoraOverrides;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.hibernate.annotations.Immutable;
import org.jspecify.annotations.Nullable;

/** One revision of how an X-LoRA is to be otherwise than its package says; never changed. */
@Entity
@Immutable
@Table(name = "xlora_settings")
class XLoraSettingsEntity {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    @Column(name = "adapter_id")
    private long adapterId;

    @Column
    private int revision;

    @Column(name = "top_k")
    private @Nullable Integer topK;

    @Column(name = "softmax_temperature")
    private @Nullable Double softmaxTemperature;

    @Column(name = "global_scaling_weight")
    private @Nullable Double globalScalingWeight;

    @Column(name = "non_granular_index")
    private @Nullable Integer nonGranularIndex;

    @Column
    private String actor;

    @Column
    private Instant at;

    protected XLoraSettingsEntity() {}

    XLoraSettingsEntity(AdapterEntity adapter, int revision, XLoraOverrides overrides, String actor) {
        this.adapterId = adapter.id();
        this.revision = revision;
        this.topK = boxed(overrides.topK());
        this.softmaxTemperature = boxed(overrides.softmaxTemperature());
        this.globalScalingWeight = boxed(overrides.globalScalingWeight());
        this.nonGranularIndex = boxed(overrides.nonGranularIndex());
        this.actor = actor;
        this.at = Instant.now().truncatedTo(ChronoUnit.MICROS);
    }

    private static @Nullable Integer boxed(OptionalInt value) {
        return value.isPresent() ? value.getAsInt() : null;
    }

    private static @Nullable Double boxed(OptionalDouble value) {
        return value.isPresent() ? value.getAsDouble() : null;
    }

    private static OptionalInt optional(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    private static OptionalDouble optional(@Nullable Double value) {
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    long adapterId() {
        return adapterId;
    }

    int revision() {
        return revision;
    }

    XLoraOverrides overrides() {
        return new XLoraOverrides(
                optional(topK),
                optional(softmaxTemperature),
                optional(globalScalingWeight),
                optional(nonGranularIndex));
    }

    XLoraRevision view() {
        return new XLoraRevision(revision, overrides(), actor, at);
    }
}
