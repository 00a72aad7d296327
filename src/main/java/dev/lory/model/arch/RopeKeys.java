package dev.lory.model.arch;

import dev.lory.format.JsonFile;
import dev.lory.format.ModelConfig;
import dev.lory.model.DecoderSpec;
import dev.lory.model.RopeScaling;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * How {@code config.json} describes rotary positions: {@code rope_theta}, {@code rope_scaling} and {@code partial_rotary_factor}, or, since
 * transformers 5, all in {@code rope_parameters}.
 */
final class RopeKeys {
    /** Keys that stand beside the type, by no more than their names. */
    private static final Set<String> KNOWN = Set.of(
            "type",
            "rope_type",
            "rope_theta",
            "partial_rotary_factor",
            "factor",
            "original_max_position_embeddings",
            "low_freq_factor",
            "high_freq_factor",
            "attention_factor",
            "beta_fast",
            "beta_slow",
            "mscale",
            "mscale_all_dim",
            "truncate",
            "finetuned", // in the first files with yarn; transformers never read it
            "short_factor",
            "long_factor");

    private final JsonFile json;
    private final JsonFile rope;
    private final int maxPositions;
    private final String longRope;
    private final OptionalInt absentOriginal;

    /**
     * @param longRope what the files of the architecture call LongRoPE, beside {@code longrope} and {@code su}
     * @param absentOriginal {@code original_max_position_embeddings} where it does not stand beside the scaling; empty = what stands in
     *     it, and if nothing does as {@code max_position_embeddings}
     */
    private RopeKeys(ModelConfig config, int absentPositions, String longRope, OptionalInt absentOriginal) {
        json = config.keys();
        this.longRope = longRope;
        rope = json.object("rope_scaling")
                .filter(scaling -> !scaling.root().isEmpty())
                .or(() -> json.object("rope_parameters"))
                .orElse(json);
        maxPositions = json.count("max_position_embeddings", absentPositions);
        this.absentOriginal = absentOriginal;
        if (rope != json) {
            for (String key : (Iterable<String>) rope.root()::fieldNames) {
                if (!KNOWN.contains(key)) {
                    throw json.invalid(
                            rope.prefix() + key + " is " + rope.root().get(key) + ", which is not supported");
                }
            }
        }
    }

    /**
     * Rotary positions and how far they reach.
     *
     * @param maxPositions tokens of the longest sequence
     */
    record Positions(DecoderSpec.Rope rope, int maxPositions) {}

    /** @param absentPositions {@code max_position_embeddings} of a configuration without; heads are rotated whole */
    static Positions whole(ModelConfig config, int headDim, double absentTheta, int absentPositions) {
        RopeKeys keys = new RopeKeys(config, absentPositions, "longrope", OptionalInt.empty());
        double rotated = keys.partial(1);
        if (rotated != 1) {
            throw keys.json.invalid("partial_rotary_factor is " + rotated + "; 1 is the only value that "
                    + config.architecture() + " has");
        }
        return keys.positions(headDim, absentTheta);
    }

    /** As {@link #whole}, for architectures that rotate the first part of a head only. */
    static Positions partial(
            ModelConfig config, int headDim, double absentTheta, int absentPositions, double absentPartial) {
        RopeKeys keys = new RopeKeys(config, absentPositions, "longrope", OptionalInt.empty());
        return keys.positions(keys.dims(headDim, absentPartial), absentTheta);
    }

    private int dims(int headDim, double absentPartial) {
        double rotated = partial(absentPartial);
        int dims = (int) (headDim * rotated);
        if (!(rotated > 0) || rotated > 1 || dims < 2 || dims % 2 != 0) {
            throw json.invalid("partial_rotary_factor is " + rotated + ", which rotates " + dims
                    + " elements of a head of " + headDim + "; an even number of them is wanted");
        }
        return dims;
    }

    /** As {@link #partial} with all of a head unless told otherwise, for Phi-3, whose first files call LongRoPE {@code yarn}. */
    static Positions phi3(ModelConfig config, int headDim) {
        RopeKeys keys = new RopeKeys(config, 4096, "yarn", OptionalInt.of(4096));
        return keys.positions(keys.dims(headDim, 1), 10000);
    }

    private double partial(double absent) {
        return rope.number("partial_rotary_factor", json.number("partial_rotary_factor", absent));
    }

    private Positions positions(int dims, double absentTheta) {
        if (dims % 2 != 0) {
            throw json.invalid("head_dim is " + dims + " but must be even to be rotated");
        }
        double theta = rope.number("rope_theta", json.number("rope_theta", absentTheta));
        if (!(theta > 0) || Double.isInfinite(theta)) {
            throw json.invalid(rope.prefix() + "rope_theta is " + theta + " but must be positive");
        }
        String type = rope == json
                ? "default"
                : rope.text("rope_type").or(() -> rope.text("type")).orElse("default");
        RopeScaling scaling = type.equals(longRope) ? longRope(dims) : scaling(type, dims);
        return new Positions(new DecoderSpec.Rope(dims, theta, scaling), reach(scaling));
    }

    private RopeScaling scaling(String type, int dims) {
        return switch (type) {
            case "default" -> new RopeScaling.None();
            case "linear" -> new RopeScaling.Linear((float) factor());
            case "dynamic" -> dynamic(dims);
            case "llama3" -> llama3();
            case "yarn" -> yarn();
            case "longrope", "su" -> longRope(dims);
            default ->
                throw json.invalid(rope.prefix() + "rope_type is " + type
                        + "; supported are default, linear, dynamic, llama3, yarn, longrope and su");
        };
    }

    /** Files say either what the model was trained for or what it was stretched to; the longer counts. */
    private int reach(RopeScaling scaling) {
        return switch (scaling) {
            case RopeScaling.Linear linear -> Math.max(maxPositions, (int) (maxPositions * (double) linear.factor()));
            case RopeScaling.Dynamic dynamic -> Math.max(maxPositions, (int) (maxPositions * dynamic.factor()));
            case RopeScaling.Yarn yarn -> Math.max(maxPositions, (int) (yarn.original() * (double) yarn.factor()));
            case RopeScaling.None none -> maxPositions;
            case RopeScaling.Llama3 llama3 -> maxPositions;
            case RopeScaling.LongRope longRope -> maxPositions;
        };
    }

    private double factor() {
        return positive("factor", rope.number("factor"));
    }

    private double positive(String key, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw json.invalid(rope.prefix() + key + " is " + value + " but must be positive");
        }
        return value;
    }

    /** What stands beside the scaling counts first, for Phi-3 alone. */
    private int original() {
        String key = "original_max_position_embeddings";
        int inside = absentOriginal.isPresent() ? absentOriginal.getAsInt() : rope.count(key, maxPositions);
        return json.count(key, inside);
    }

    private RopeScaling dynamic(int dims) {
        if (dims < 4) {
            throw json.invalid(rope.prefix() + "rope_type is dynamic, which needs heads wider than " + dims);
        }
        return new RopeScaling.Dynamic(factor(), maxPositions);
    }

    private RopeScaling llama3() {
        double low = positive("low_freq_factor", rope.number("low_freq_factor"));
        double high = rope.number("high_freq_factor");
        if (!(high > low)) {
            throw json.invalid(
                    rope.prefix() + "high_freq_factor is " + high + " but must be more than low_freq_factor, " + low);
        }
        return new RopeScaling.Llama3((float) factor(), (float) low, (float) high, original());
    }

    private RopeScaling yarn() {
        // null is what the lengths say, absent is a mistake
        double stretched = (double) maxPositions / original();
        double factor = rope.has("factor") ? positive("factor", rope.number("factor", stretched)) : factor();
        double mscale = rope.number("mscale", 0);
        double allDims = rope.number("mscale_all_dim", 0);
        double magnitude = mscale != 0 && allDims != 0
                ? magnitude(factor, mscale) / magnitude(factor, allDims)
                : magnitude(factor, 1);
        double fast = orDefault("beta_fast", 32);
        double slow = orDefault("beta_slow", 1);
        if (!(fast >= slow) || !(slow > 0)) {
            throw json.invalid(rope.prefix() + "beta_fast is " + fast + " and beta_slow is " + slow
                    + ", but the first must be the larger one and both positive");
        }
        return new RopeScaling.Yarn(
                (float) factor,
                original(),
                (float) positive("attention_factor", rope.number("attention_factor", magnitude)),
                fast,
                slow,
                rope.flag("truncate", true));
    }

    /** 0 is as good as absent. */
    private double orDefault(String key, double absent) {
        double value = rope.number(key, absent);
        return value == 0 ? absent : value;
    }

    private static double magnitude(double factor, double mscale) {
        return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }

    private RopeScaling longRope(int dims) {
        int original = original();
        double factor = positive("factor", rope.number("factor", (double) maxPositions / original));
        double magnitude = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
        return new RopeScaling.LongRope(
                factors("short_factor", dims / 2), factors("long_factor", dims / 2), original, (float)
                        positive("attention_factor", rope.number("attention_factor", magnitude)));
    }

    private List<Float> factors(String key, int count) {
        List<Double> values = rope.numbers(key);
        if (values.size() != count) {
            throw json.invalid(
                    rope.prefix() + key + " has " + values.size() + " numbers, but " + count + " are wanted");
        }
        return values.stream().map(value -> (float) positive(key, value)).toList();
    }
}
