package dev.lory.xlora;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** What is to be otherwise than an X-LoRA's package says; empty = as it says. */
@JsonNaming(SnakeCaseStrategy.class)
public record XLoraOverrides(
        OptionalInt topK,
        OptionalDouble softmaxTemperature,
        OptionalDouble globalScalingWeight,
        OptionalInt nonGranularIndex) {
    /** All as the package says. */
    public static final XLoraOverrides NONE = new XLoraOverrides(
            OptionalInt.empty(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());

    /** With the scalings of that generated token from then on. */
    public static XLoraOverrides nonGranular(int index) {
        return new XLoraOverrides(
                OptionalInt.empty(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.of(index));
    }

    /**
     * Refuses values that mean nothing.
     *
     * @param prefix of the fields' names in the message, such as {@code xlora.}
     * @throws dev.lory.error.ServiceException {@code INVALID_REQUEST} naming the field
     */
    public void check(String prefix) {
        requirePositive(prefix + "top_k", topK);
        requirePositive(prefix + "non_granular_index", nonGranularIndex);
        String temperature = prefix + "softmax_temperature";
        if (!(softmaxTemperature.orElse(1) > 0) || Double.isInfinite(softmaxTemperature.orElse(1))) {
            throw invalid(
                    temperature,
                    temperature + " must be a finite number above 0 but is " + softmaxTemperature.getAsDouble());
        }
        String weight = prefix + "global_scaling_weight";
        if (!Double.isFinite(globalScalingWeight.orElse(1))) {
            throw invalid(weight, weight + " must be a finite number but is " + globalScalingWeight.getAsDouble());
        }
    }

    /** Refuses more adapters than there are; otherwise as {@link #check(String)}. */
    public void check(String prefix, int adapters) {
        check(prefix);
        if (topK.orElse(1) > adapters) {
            throw invalid(
                    prefix + "top_k", prefix + "top_k is " + topK.getAsInt() + ", there are " + adapters + " adapters");
        }
    }

    private static void requirePositive(String name, OptionalInt value) {
        if (value.orElse(1) < 1) {
            throw invalid(name, name + " must be at least 1 but is " + value.getAsInt());
        }
    }

    /** These, and {@code others} where these are silent. */
    public XLoraOverrides orElse(XLoraOverrides others) {
        return new XLoraOverrides(
                topK.isPresent() ? topK : others.topK,
                softmaxTemperature.isPresent() ? softmaxTemperature : others.softmaxTemperature,
                globalScalingWeight.isPresent() ? globalScalingWeight : others.globalScalingWeight,
                nonGranularIndex.isPresent() ? nonGranularIndex : others.nonGranularIndex);
    }

    /** For logs and audit rows: {@code top_k=1 softmax_temperature=0.5}; empty for none. */
    @Override
    public String toString() {
        List<String> words = new ArrayList<>();
        topK.ifPresent(value -> words.add("top_k=" + value));
        softmaxTemperature.ifPresent(value -> words.add("softmax_temperature=" + value));
        globalScalingWeight.ifPresent(value -> words.add("global_scaling_weight=" + value));
        nonGranularIndex.ifPresent(value -> words.add("non_granular_index=" + value));
        return String.join(" ", words);
    }

    /** A package's settings with these. */
    public XLoraSettings apply(XLoraSettings set) {
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
