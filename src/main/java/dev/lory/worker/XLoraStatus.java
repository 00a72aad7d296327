package dev.lory.worker;

import dev.lory.xlora.XLoraSettings;
import dev.lory.xlora.XLoraStatistics;
import java.util.List;

/**
 * What more there is to say of a wanted adapter that is an X-LoRA.
 *
 * @param adapters that it mixes, by class of its classifier
 * @param sites paths of the linears that they change
 * @param settings for requests that are silent about them
 * @param statistics since it was first loaded
 */
public record XLoraStatus(
        String name, List<String> adapters, List<String> sites, XLoraSettings settings, XLoraStatistics statistics) {
    public XLoraStatus {
        adapters = List.copyOf(adapters);
        sites = List.copyOf(sites);
    }
}
