package dev.lory.xlora;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;

/**
 * What the adapters of an X-LoRA counted so far, for tokens that its classifier saw: those whose scalings came from the cache, or were frozen,
 * are not among them.
 *
 * @param tokens how many
 * @param adapters in the order of the classes
 * @param layers in the order of the model
 */
@JsonNaming(SnakeCaseStrategy.class)
public record XLoraStatistics(long tokens, List<OfAdapter> adapters, List<OfLayer> layers) {
    /** Upper ends of the ranges of {@link OfAdapter#histogram}, each in its range; one more range is beyond the last. */
    public static final List<Double> BOUNDS = List.of(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0);

    public XLoraStatistics {
        adapters = List.copyOf(adapters);
        layers = List.copyOf(layers);
    }

    /**
     * Over all tokens and sites.
     *
     * @param shareOfZero of its scalings, 0 to 1: what top-k left out
     * @param histogram how many of its scalings lay in each range of {@link #BOUNDS}
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record OfAdapter(String name, double mean, double shareOfZero, List<Long> histogram) {
        public OfAdapter {
            histogram = List.copyOf(histogram);
        }
    }

    /**
     * Over all tokens and the sites of one layer.
     *
     * @param layer as paths of its sites begin: {@code model.layers.3}
     * @param entropy of a site's scalings, in nats, on average: 0 = one adapter alone, the logarithm of their number = all alike
     * @param mean of each adapter
     * @param shareOfZero of each adapter
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record OfLayer(String layer, double entropy, List<Double> mean, List<Double> shareOfZero) {
        public OfLayer {
            mean = List.copyOf(mean);
            shareOfZero = List.copyOf(shareOfZero);
        }
    }
}
