package dev.lory.format;

import dev.lory.error.ServiceException;
import dev.lory.format.GgufArchitecture.Change;
import dev.lory.format.GgufArchitecture.Rule;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Where in a GGUF file the tensor of each Hugging Face name is. Every tensor of the file has its place, or is refused. */
final class GgufTensors {
    /** Tensors that {@link GgufRope} reads. */
    private static final Set<String> ROPE = Set.of(GgufRope.FREQUENCIES, GgufRope.LONG_FACTORS, GgufRope.SHORT_FACTORS);

    /**
     * One tensor, or a part of one.
     *
     * @param from first row, or of a bias the first element
     * @param count rows or elements
     */
    record Place(String ggufName, Change change, int from, int count) {}

    private final GgufFile file;
    private final GgufArchitecture architecture;
    private final Map<String, Place> places = new LinkedHashMap<>();

    /** @throws ServiceException {@code INVALID_MODEL} naming a tensor that the architecture does not have, or cannot have like this */
    GgufTensors(GgufFile file, GgufArchitecture architecture) {
        this.file = file;
        this.architecture = architecture;
        int blocks = blocks();
        int found = 0;
        for (String name : file.names()) {
            if (!ROPE.contains(name)) {
                found = Math.max(found, place(name));
            }
        }
        if (found != blocks) {
            throw MappedFile.invalid(
                    file.path(),
                    architecture.id() + ".block_count is " + blocks + " but there are tensors of " + found + " blocks");
        }
    }

    Map<String, Place> places() {
        return places;
    }

    int headDim() {
        int heads = integer("attention.head_count").orElse(1);
        int hidden = integer("embedding_length").orElse(0);
        return integer("attention.key_length").orElse(hidden / Math.max(1, heads));
    }

    private int blocks() {
        GgufMetadata metadata = file.metadata();
        return metadata.required(architecture.id() + ".block_count", metadata::integer);
    }

    private Optional<Integer> integer(String key) {
        return file.metadata().integer(architecture.id() + "." + key);
    }

    /** Places a tensor; answers the number of blocks there must be for it. */
    private int place(String ggufName) {
        int dot = ggufName.lastIndexOf('.');
        String base = dot < 0 ? ggufName : ggufName.substring(0, dot);
        String suffix = ggufName.substring(base.length());
        String[] parts = base.split("\\.", 3);
        if (parts[0].equals("blk") && parts.length == 3) {
            int block = number(ggufName, parts[1]);
            placeByRule(ggufName, parts[2], suffix, architecture.layers(), "model.layers." + block + ".");
            return block + 1;
        }
        placeByRule(ggufName, base, suffix, architecture.model(), "");
        return 0;
    }

    private void placeByRule(String ggufName, String base, String suffix, Map<String, Rule> rules, String prefix) {
        Rule rule = rules.get(base);
        String expert = "";
        if (rule == null && base.contains(".")) {
            int dot = base.lastIndexOf('.');
            expert = base.substring(dot + 1);
            rule = rules.get(base.substring(0, dot + 1) + "#");
        }
        if (rule == null || !suffix.equals(".weight") && !(rule.bias() && suffix.equals(".bias"))) {
            throw unknown(ggufName);
        }
        TensorInfo info = file.info(ggufName).orElseThrow();
        int extent = suffix.equals(".bias") ? info.cols() : info.rows();
        List<String> names =
                rule.names().stream().map(name -> prefix + name + suffix).toList();
        switch (rule.change()) {
            case SAME -> {
                String name = expert.isEmpty()
                        ? names.getFirst()
                        : names.getFirst().replace("#", Integer.toString(number(ggufName, expert)));
                put(name, ggufName, rule, 0, extent);
            }
            case INTERLEAVED -> {
                checkWhole(ggufName, extent, headDim(), "heads");
                put(names.getFirst(), ggufName, rule, 0, extent);
            }
            case PLUS_ONE -> put(names.getFirst(), ggufName, rule, 0, extent);
            case STACKED -> {
                int experts = integer("expert_count").orElse(0);
                int each = extent / Math.max(1, experts);
                checkWhole(ggufName, extent, each, "experts");
                for (int i = 0; i < experts; i++) {
                    put(names.getFirst().replace("#", Integer.toString(i)), ggufName, rule, i * each, each);
                }
            }
            case FUSED -> {
                int heads = integer("attention.head_count").orElse(0);
                int kvHeads = integer("attention.head_count_kv").orElse(heads);
                int queries = (int) Math.min(extent, (long) heads * headDim());
                int keys = (int) Math.min(extent, (long) kvHeads * headDim());
                if (queries + 2L * keys != extent) {
                    throw MappedFile.invalid(
                            file.path(),
                            "tensor " + ggufName + " has " + extent + " rows, not those of " + heads + " and twice "
                                    + kvHeads + " heads of " + headDim());
                }
                put(names.get(0), ggufName, rule, 0, queries);
                put(names.get(1), ggufName, rule, queries, keys);
                put(names.get(2), ggufName, rule, queries + keys, keys);
            }
        }
    }

    private void put(String name, String ggufName, Rule rule, int from, int count) {
        Place before = places.put(name, new Place(ggufName, rule.change(), from, count));
        if (before != null) {
            throw MappedFile.invalid(
                    file.path(), "has " + name + " twice, as " + before.ggufName + " and as " + ggufName);
        }
    }

    private void checkWhole(String ggufName, int rows, int each, String what) {
        if (each < 1 || rows % each != 0 || each % 2 != 0 && what.equals("heads")) {
            throw MappedFile.invalid(
                    file.path(),
                    "tensor " + ggufName + " has " + rows + " rows, no whole number of " + what + " of " + each);
        }
    }

    private int number(String ggufName, String digits) {
        if (digits.length() > 6 || !digits.chars().allMatch(c -> c >= '0' && c <= '9') || digits.isEmpty()) {
            throw unknown(ggufName);
        }
        return Integer.parseInt(digits);
    }

    private ServiceException unknown(String ggufName) {
        return MappedFile.invalid(
                file.path(),
                "has the tensor " + ggufName + ", which a " + architecture.id() + " model as described does not have");
    }
}
