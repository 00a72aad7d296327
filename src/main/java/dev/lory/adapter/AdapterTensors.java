package dev.lory.adapter;

import dev.lory.error.Finding;
import dev.lory.format.SafetensorsSource;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The names of an adapter's tensors by module. PEFT writes {@code base_model.model.<path>.lora_A.weight}; the prefix may be missing, and an
 * adapter's name may stand after {@code lora_A}, as in a state dict that was saved by hand.
 */
final class AdapterTensors {
    /** What a tensor is to its module, by the end of its name. */
    enum Role {
        /** {@code [r, in]}. */
        LORA_A("lora_A"),
        /** {@code [out, r]}. */
        LORA_B("lora_B"),
        /** {@code [r, vocab]}. */
        EMBEDDING_A("lora_embedding_A"),
        /** {@code [hidden, r]}. */
        EMBEDDING_B("lora_embedding_B"),
        /** {@code [out]}, DoRA's. */
        MAGNITUDE("lora_magnitude_vector"),
        /** A copy of the base's weight, which PEFT adds where head or embedding are changed. */
        BASE_WEIGHT("base_layer.weight"),
        /** As {@link #BASE_WEIGHT}. */
        BASE_BIAS("base_layer.bias"),
        /** The module's own. */
        WEIGHT("weight"),
        /** The module's own. */
        BIAS("bias");

        private final String ending;

        Role(String ending) {
            this.ending = ending;
        }

        /** As it stands in a tensor's name. */
        String ending() {
            return ending;
        }

        private static Role of(String ending) {
            return Stream.of(values())
                    .filter(role -> role.ending.equals(ending))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static final Pattern NAME = Pattern.compile("(?:base_model\\.model\\.)?(.+?)\\.(?:"
            + "(lora_A|lora_B)(?:\\.[^.]+)?\\.weight"
            + "|(lora_embedding_A|lora_embedding_B|lora_magnitude_vector)(?:\\.[^.]+)?(?:\\.weight)?"
            + "|((?:base_layer\\.)?(?:weight|bias)))");

    private final SafetensorsSource source;
    private final Map<String, Map<Role, String>> byPath = new TreeMap<>();

    /** @param findings takes a tensor that is nothing of the above, or there twice */
    AdapterTensors(SafetensorsSource source, Consumer<Finding> findings) {
        this.source = source;
        for (String name : source.names()) {
            Matcher matcher = NAME.matcher(name);
            if (!matcher.matches()) {
                findings.accept(Finding.error(name, "tensor " + name + " is nothing of a LoRA adapter"));
                continue;
            }
            Role role = role(matcher);
            String twin = byPath.computeIfAbsent(matcher.group(1), path -> new EnumMap<>(Role.class))
                    .put(role, name);
            if (twin != null) {
                findings.accept(Finding.error(name, "tensors " + twin + " and " + name + " are the same"));
            }
        }
    }

    private static Role role(Matcher matcher) {
        return Stream.of(matcher.group(2), matcher.group(3), matcher.group(4))
                .filter(Objects::nonNull)
                .map(Role::of)
                .findFirst()
                .orElseThrow();
    }

    SafetensorsSource source() {
        return source;
    }

    /** The paths of modules that have tensors. */
    Set<String> paths() {
        return Collections.unmodifiableSet(byPath.keySet());
    }

    /** The names of a module's tensors; empty if it has none. */
    Map<Role, String> of(String path) {
        return Collections.unmodifiableMap(byPath.getOrDefault(path, Map.of()));
    }
}
