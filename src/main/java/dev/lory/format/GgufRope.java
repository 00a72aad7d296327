package dev.lory.format;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ServiceException;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/** How a GGUF file says that rotary frequencies are scaled, as {@code rope_scaling} of config.json. */
final class GgufRope {
    /** Divisors of the frequencies, which the converter computes for {@code llama3}. */
    static final String FREQUENCIES = "rope_freqs.weight";

    static final String LONG_FACTORS = "rope_factors_long.weight";
    static final String SHORT_FACTORS = "rope_factors_short.weight";

    /** What all released models with {@code llama3} scaling have; the file has only what follows from them. */
    private static final double LOW = 1;

    private static final double HIGH = 4;
    private static final int USUAL_CONTEXT = 8192;

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final String prefix;
    private final int rotated;

    /** @param rotated elements of a head that are rotated */
    GgufRope(GgufFile file, String architecture, int rotated) {
        this.file = file;
        this.metadata = file.metadata();
        this.prefix = architecture + ".rope.";
        this.rotated = rotated;
    }

    /**
     * The scaling, if there is any.
     *
     * @param config the other keys, complete
     * @throws ServiceException {@code INVALID_MODEL} naming the key or tensor that asks for something not understood
     */
    Optional<ObjectNode> scaling(ObjectNode config) {
        boolean factors = file.names().contains(LONG_FACTORS) || file.names().contains(SHORT_FACTORS);
        String type = metadata.string(prefix + "scaling.type").orElse(factors ? "longrope" : "linear");
        boolean fits = factors == type.equals("longrope");
        if (!fits || file.names().contains(FREQUENCIES) && (factors || type.equals("yarn"))) {
            throw MappedFile.invalid(
                    file.path(),
                    prefix + "scaling.type is " + type + ", which does not fit the tensors "
                            + file.names().stream()
                                    .filter(name -> name.startsWith("rope_"))
                                    .toList());
        }
        ObjectNode scaling = JsonNodeFactory.instance.objectNode().put("rope_type", type);
        switch (type) {
            case "none" -> scaling.removeAll();
            case "linear" -> {
                if (linear(scaling) == 1) {
                    scaling.removeAll();
                }
            }
            case "yarn" -> yarn(scaling);
            case "longrope" -> longrope(scaling, config);
            default -> throw wrong("scaling.type", "none, linear, yarn or longrope");
        }
        return file.names().contains(FREQUENCIES)
                ? llama3(config, scaling)
                : Optional.of(scaling).filter(node -> !node.isEmpty());
    }

    private double linear(ObjectNode scaling) {
        double factor = metadata.number(prefix + "scaling.factor")
                .or(() -> metadata.number(prefix + "scale_linear"))
                .filter(value -> value != 0)
                .orElse(1.0);
        scaling.put("factor", GgufConfig.decimal(factor));
        return factor;
    }

    private void yarn(ObjectNode scaling) {
        linear(scaling);
        metadata.integer(prefix + "scaling.original_context_length")
                .ifPresent(length -> scaling.put("original_max_position_embeddings", length));
        number("scaling.yarn_beta_fast").ifPresent(beta -> scaling.put("beta_fast", GgufConfig.decimal(beta)));
        number("scaling.yarn_beta_slow").ifPresent(beta -> scaling.put("beta_slow", GgufConfig.decimal(beta)));
        checkIs("scaling.yarn_ext_factor", 1);
        checkIs("scaling.yarn_attn_factor", 1);
        checkIs("scaling.attn_factor", 1);
    }

    /** The attention factor is not part of config.json: it follows from both lengths, and must be that. */
    private void longrope(ObjectNode scaling, ObjectNode config) {
        put(scaling.putArray("long_factor"), divisors(LONG_FACTORS));
        put(scaling.putArray("short_factor"), divisors(SHORT_FACTORS));
        double longest = config.path("max_position_embeddings").asInt();
        double original = config.path("original_max_position_embeddings").asInt((int) longest);
        double growth = longest / original;
        checkIs("scaling.attn_factor", growth > 1 ? Math.sqrt(1 + Math.log(growth) / Math.log(original)) : 1);
    }

    /** Finds the original context that explains every divisor. */
    private Optional<ObjectNode> llama3(ObjectNode config, ObjectNode other) {
        float[] divisors = divisors(FREQUENCIES);
        double theta = config.path("rope_theta").asDouble(10000);
        double factor = 1;
        for (float divisor : divisors) {
            factor = Math.max(factor, divisor);
        }
        long context = USUAL_CONTEXT;
        for (int i = 0; i < divisors.length; i++) {
            if (divisors[i] > 1 && divisors[i] < factor) {
                double smooth = (1 / divisors[i] - 1 / factor) / (1 - 1 / factor);
                context = Math.round(wavelength(theta, i) * (LOW + smooth * (HIGH - LOW)));
            }
        }
        DoubleUnaryOperator expected = expected(factor, context);
        for (int i = 0; i < divisors.length; i++) {
            double wanted = expected.applyAsDouble(wavelength(theta, i));
            if (!other.isEmpty() || !(Math.abs(divisors[i] - wanted) < 1e-3 * wanted)) {
                throw MappedFile.invalid(
                        file.path(),
                        "tensor " + FREQUENCIES + " has " + divisors[i] + " at " + i + ", where the llama3 scaling by "
                                + factor + " of a context of " + context + " has " + wanted);
            }
        }
        if (factor == 1) {
            return Optional.empty();
        }
        return Optional.of(JsonNodeFactory.instance
                .objectNode()
                .put("rope_type", "llama3")
                .put("factor", GgufConfig.decimal(factor))
                .put("low_freq_factor", LOW)
                .put("high_freq_factor", HIGH)
                .put("original_max_position_embeddings", context));
    }

    private static DoubleUnaryOperator expected(double factor, double context) {
        return length -> {
            double smooth = Math.clamp((context / length - LOW) / (HIGH - LOW), 0, 1);
            return 1 / ((1 - smooth) / factor + smooth);
        };
    }

    private double wavelength(double theta, int i) {
        return 2 * Math.PI * Math.pow(theta, 2.0 * i / rotated);
    }

    private float[] divisors(String name) {
        TensorInfo info = file.info(name).orElseThrow(() -> MappedFile.invalid(file.path(), "has no tensor " + name));
        if (info.rows() != 1 || info.cols() != rotated / 2) {
            throw MappedFile.invalid(
                    file.path(), "tensor " + name + " is " + info + "; wanted are " + rotated / 2 + " divisors");
        }
        return file.tensor(name).orElseThrow().row(0);
    }

    private static void put(ArrayNode array, float[] values) {
        for (float value : values) {
            array.add(GgufConfig.decimal(value));
        }
    }

    private Optional<Double> number(String key) {
        return metadata.number(prefix + key);
    }

    private void checkIs(String key, double wanted) {
        if (Math.abs(number(key).orElse(wanted) - wanted) > 1e-4) {
            throw wrong(key, Double.toString(wanted));
        }
    }

    private ServiceException wrong(String key, String wanted) {
        return MappedFile.invalid(
                file.path(), prefix + key + " is " + metadata.printed(prefix + key) + "; supported is " + wanted);
    }
}
