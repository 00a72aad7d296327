package dev.lory.registry;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.worker.XLoraStatus;
import dev.lory.xlora.XLoraOverrides;
import dev.lory.xlora.XLoraSettings;
import dev.lory.xlora.XLoraStatistics;
import java.util.List;

/**
 * A registered X-LoRA.
 *
 * @param source its package; relative to {@code lory.adapters.root}
 * @param digest SHA-256 of its content in hex; empty until it was loaded once
 * @param revision of its overrides; 0 = there never were any
 * @param overrides what is otherwise than its package says, for requests that are silent about it
 * @param workers what each of this service's workers knows of it; none until one has loaded it
 */
@JsonNaming(SnakeCaseStrategy.class)
public record XLora(
        String name,
        String source,
        String digest,
        AdapterState state,
        String stateReason,
        int revision,
        XLoraOverrides overrides,
        List<OnWorker> workers) {
    public XLora {
        workers = List.copyOf(workers);
    }

    /**
     * An X-LoRA as a worker has it.
     *
     * @param adapters that it mixes, by class of its classifier
     * @param sites paths of the linears that they change
     * @param settings with the overrides
     * @param statistics since it was first loaded
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record OnWorker(List<String> adapters, List<String> sites, Settings settings, XLoraStatistics statistics) {
        public OnWorker {
            adapters = List.copyOf(adapters);
            sites = List.copyOf(sites);
        }

        static OnWorker of(XLoraStatus status) {
            return new OnWorker(status.adapters(), status.sites(), Settings.of(status.settings()), status.statistics());
        }
    }

    /**
     * What is made of the classifier's output; see {@link XLoraSettings}.
     *
     * @param topK 0 = all adapters
     * @param nonGranularIndex 0 = every token has its own scalings
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record Settings(
            boolean enableSoftmax,
            boolean enableSoftmaxTopk,
            double softmaxTemperature,
            int topK,
            double scalingPassValue,
            double globalScalingWeight,
            int nonGranularIndex) {
        static Settings of(XLoraSettings settings) {
            return new Settings(
                    settings.softmax(),
                    settings.softmaxTopK(),
                    settings.temperature(),
                    settings.topK(),
                    settings.passValue(),
                    settings.globalWeight(),
                    settings.nonGranularIndex());
        }
    }
}
