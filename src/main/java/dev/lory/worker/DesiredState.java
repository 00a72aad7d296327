package dev.lory.worker;

import dev.lory.xlora.XLoraOverrides;
import java.util.List;

/**
 * The adapters a worker is to know.
 *
 * @param revision rises with every change; what is older than the applied one is ignored
 * @param adapters those to load first at the front
 */
public record DesiredState(long revision, List<DesiredAdapter> adapters) {
    public DesiredState {
        adapters = List.copyOf(adapters);
    }

    /** With overrides for X-LoRAs that have none of their own. */
    DesiredState orElse(XLoraOverrides overrides) {
        return new DesiredState(
                revision,
                adapters.stream()
                        .map(adapter -> new DesiredAdapter(
                                adapter.name(),
                                adapter.source(),
                                adapter.generation(),
                                adapter.residency(),
                                adapter.wantedAt(),
                                adapter.overrides().orElse(overrides)))
                        .toList());
    }

    /**
     * @param name what requests call it
     * @param source the PEFT folder
     * @param generation rises when its files are to be read again
     * @param wantedAt the revision at which it was last asked to be loaded, even if another must go
     * @param overrides if it is an X-LoRA, for requests that are silent about them
     */
    public record DesiredAdapter(
            String name, String source, long generation, Residency residency, long wantedAt, XLoraOverrides overrides) {
        /** Loaded if there is room, else when a request names it. */
        public DesiredAdapter(String name, String source) {
            this(name, source, 0, Residency.ON_DEMAND, 0, XLoraOverrides.NONE);
        }

        /** Whether the weights are to be the same. */
        boolean isSameContent(DesiredAdapter other) {
            return source.equals(other.source) && generation == other.generation;
        }
    }

    /** How long an adapter stays on the device. */
    public enum Residency {
        /** Until another needs the room; then until a request names it again. */
        ON_DEMAND,
        /** For ever. */
        PINNED,
        /** Not at all; requests that name it are refused. */
        UNLOADED
    }
}
