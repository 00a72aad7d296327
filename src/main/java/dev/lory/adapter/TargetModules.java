package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.error.ServiceException;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Which modules an adapter changes: PEFT's {@code check_target_module_exists}.
 *
 * @param targets {@code target_modules}
 * @param excluded {@code exclude_modules}: these are not changed whatever {@code targets} say
 * @param layers {@code layers_to_transform}; empty = all
 * @param layersPattern {@code layers_pattern}: the list of layers that a layer's number is looked for in; empty = any
 */
record TargetModules(Names targets, Names excluded, Set<Integer> layers, List<String> layersPattern) {
    private static final String LAYERS = "layers_to_transform";

    TargetModules {
        layers = Set.copyOf(layers);
        layersPattern = List.copyOf(layersPattern);
    }

    /** How a list of modules is written. */
    sealed interface Names {
        /** Patterns are equal if they are the same text. */
        default boolean isSameAs(Names other) {
            return this instanceof Matching(ModulePattern mine) && other instanceof Matching(ModulePattern theirs)
                    ? mine.pattern().pattern().equals(theirs.pattern().pattern())
                    : equals(other);
        }

        /** Every linear but the head: {@code all-linear}. */
        record AllLinear() implements Names {}

        /** A regular expression for whole paths. */
        record Matching(ModulePattern pattern) implements Names {}

        /** Paths, or ends of paths at a dot. */
        record Listed(Set<String> names) implements Names {
            public Listed {
                names = Set.copyOf(names);
            }

            private boolean hasEndOf(String path) {
                return names.stream().anyMatch(name -> path.endsWith("." + name));
            }
        }
    }

    /** Whether it is written the same. */
    boolean isSameAs(TargetModules other) {
        return targets.isSameAs(other.targets)
                && excluded.isSameAs(other.excluded)
                && layers.equals(other.layers)
                && layersPattern.equals(other.layersPattern);
    }

    /**
     * Whether the module is changed.
     *
     * @param inLayer a linear of a layer, so not the head and not the embedding
     * @throws ServiceException {@code INVALID_ADAPTER} where releases of PEFT disagree, or a pattern takes too long
     */
    boolean contains(String path, boolean inLayer) {
        if (named(excluded, path, inLayer)) {
            return false;
        }
        // a path that is listed in full is changed in whatever layer it is
        boolean inAnyLayer =
                !(targets instanceof Names.Listed listed) || listed.names().contains(path);
        return named(targets, path, inLayer) && (layers.isEmpty() || inAnyLayer || isInLayers(path));
    }

    private static boolean named(Names names, String path, boolean inLayer) {
        return switch (names) {
            case Names.AllLinear all -> inLayer;
            case Names.Matching matching -> matching.pattern.matchesAll(path);
            case Names.Listed listed -> listed.names.contains(path) || listed.hasEndOf(path);
        };
    }

    /** Up to 0.21 the last number in the path counts, later the first; single experts have two numbers. */
    private boolean isInLayers(String path) {
        boolean last = isInLayers(path, ".*");
        if (last != isInLayers(path, ".*?")) {
            throw new ServiceException(
                    INVALID_ADAPTER,
                    LAYERS + " = " + layers + " means other modules in other releases of PEFT: " + path);
        }
        return last;
    }

    private boolean isInLayers(String path, String before) {
        List<String> patterns = layersPattern.isEmpty() ? List.of("[^.]*") : layersPattern;
        for (String pattern : patterns) {
            OptionalInt layer = ModulePattern.of("layers_pattern", before + "\\." + pattern + "\\.(\\d+)\\.")
                    .number(path);
            if (layer.isPresent()) {
                return layers.contains(layer.getAsInt());
            }
        }
        return false;
    }
}
