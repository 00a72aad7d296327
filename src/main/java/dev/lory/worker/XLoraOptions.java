package dev.lory.worker;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.xlora.XLoraSettings;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What a request wants otherwise than an X-LoRA is set, and what it wants to know; empty = as it is set.
 *
 * @param nonGranularIndex tokens after this generated one use its scalings
 */
public record XLoraOptions(
        OptionalInt topK,
        OptionalDouble softmaxTemperature,
        OptionalDouble globalScalingWeight,
        OptionalInt nonGranularIndex,
        Detail scalings) {
    /** As it is set, and nothing told. */
    public static final XLoraOptions NONE = new XLoraOptions(
            OptionalInt.empty(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty(), Detail.NONE);

    /** With the scalings of that generated token from then on. */
    public static XLoraOptions nonGranular(int index) {
        return new XLoraOptions(
                NONE.topK, NONE.softmaxTemperature, NONE.globalScalingWeight, OptionalInt.of(index), Detail.NONE);
    }

    /** How much is told of the scalings. */
    public enum Detail {
        /** Nothing. */
        NONE,
        /** The mean of each adapter over sites and tokens. */
        SUMMARY,
        /** Of every token, site and adapter. */
        FULL
    }

    public XLoraOptions {
        least("top_k", topK);
        least("non_granular_index", nonGranularIndex);
        if (softmaxTemperature.isPresent() && !(softmaxTemperature.getAsDouble() > 0)) {
            throw invalid(
                    "xlora.softmax_temperature",
                    "xlora.softmax_temperature must be above 0 but is " + softmaxTemperature.getAsDouble());
        }
    }

    private static void least(String name, OptionalInt value) {
        if (value.isPresent() && value.getAsInt() < 1) {
            throw invalid("xlora." + name, "xlora." + name + " must be at least 1 but is " + value.getAsInt());
        }
    }

    /** Whether scalings are told. */
    boolean traced() {
        return scalings != Detail.NONE;
    }

    /** @throws dev.lory.error.ServiceException {@code INVALID_REQUEST} for more adapters than there are */
    XLoraSettings apply(XLoraSettings set, int adapters) {
        if (topK.orElse(1) > adapters) {
            throw invalid("xlora.top_k", "xlora.top_k is " + topK.getAsInt() + ", there are " + adapters + " adapters");
        }
        return new XLoraSettings(
                set.softmax(),
                set.softmaxTopK(),
                softmaxTemperature.orElse(set.temperature()),
                topK.orElse(set.topK()),
                set.passValue(),
                globalScalingWeight.orElse(set.globalWeight()),
                nonGranularIndex.orElse(set.nonGranularIndex()));
    }
}
