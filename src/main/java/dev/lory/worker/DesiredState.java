package dev.lory.worker;

import java.util.List;

/**
 * The adapters a worker is to keep.
 *
 * @param revision rises with every change; what is older than the applied one is ignored
 */
public record DesiredState(long revision, List<DesiredAdapter> adapters) {
    public DesiredState {
        adapters = List.copyOf(adapters);
    }

    /**
     * @param name what requests call it
     * @param source the PEFT folder
     */
    public record DesiredAdapter(String name, String source) {}
}
