package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.error.ServiceException;
import dev.lory.format.SafetensorsWriter;
import dev.lory.format.SafetensorsWriter.Shape;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.BiFunction;

/**
 * A module of a merged adapter.
 *
 * @param parts those that update it
 */
record MergedModule(String path, int rank, Shape a, Shape b, List<MergePart> parts) {
    private static final String PREFIX = "base_model.model.";

    /**
     * All modules that any of the adapters updates, by path.
     *
     * @throws ServiceException {@code INVALID_ADAPTER} naming the module where the adapters do not fit together
     */
    static List<MergedModule> of(List<MergePart> parts, MergeStrategy strategy) {
        Set<String> paths = new TreeSet<>();
        parts.forEach(part -> paths.addAll(part.paths()));
        return paths.stream().map(path -> of(path, parts, strategy)).toList();
    }

    private static MergedModule of(String path, List<MergePart> parts, MergeStrategy strategy) {
        List<MergePart> here = parts.stream().filter(part -> part.updates(path)).toList();
        MergePart first = here.getFirst();
        Tensor a = first.a(path);
        Tensor b = first.b(path);
        int rank = 0;
        for (MergePart part : here) {
            Tensor otherA = part.a(path);
            Tensor otherB = part.b(path);
            boolean fits = otherA.cols() == a.cols()
                    && otherB.rows() == b.rows()
                    && otherA.rows() == otherB.cols()
                    && part.isEmbedding(path) == first.isEmbedding(path);
            if (!fits) {
                throw refused(path, part, "has shapes " + shapes(otherA, otherB), first, shapes(a, b));
            }
            if (strategy.drops() && otherA.rows() != a.rows()) {
                throw refused(path, part, "has rank " + otherA.rows(), first, a.rows() + ", but must be the same");
            }
            rank = strategy.drops() ? otherA.rows() : rank + otherA.rows();
        }
        return new MergedModule(path, rank, new Shape(rank, a.cols()), new Shape(b.rows(), rank), here);
    }

    private static String shapes(Tensor a, Tensor b) {
        return "[" + a.rows() + ", " + a.cols() + "] and [" + b.rows() + ", " + b.cols() + "]";
    }

    private static ServiceException refused(String path, MergePart part, String found, MergePart first, String wanted) {
        return new ServiceException(
                INVALID_ADAPTER, path + ": `" + part.name() + "` " + found + ", `" + first.name() + "` " + wanted);
    }

    /** Writes the tensors of these modules. */
    static void write(Path file, List<MergedModule> modules, StoredMixture mixture) throws IOException {
        LinkedHashMap<String, Shape> shapes = new LinkedHashMap<>();
        for (MergedModule module : modules) {
            shapes.put(module.tensor("A"), module.a());
            shapes.put(module.tensor("B"), module.b());
        }
        SplittableRandom random = new SplittableRandom(mixture.seed());
        try (SafetensorsWriter writer = new SafetensorsWriter(file, shapes)) {
            for (MergedModule module : modules) {
                boolean drops = mixture.strategy().drops();
                writer.write(drops ? module.merged(MergePart::a, mixture, random) : module.stackedA());
                writer.write(drops ? module.merged(MergePart::b, mixture, random) : module.besideB());
            }
        }
    }

    private String tensor(String factor) {
        boolean embedding = parts.getFirst().isEmbedding(path);
        return PREFIX + path + (embedding ? ".lora_embedding_" + factor : ".lora_" + factor + ".weight");
    }

    private float[] merged(
            BiFunction<MergePart, String, Tensor> factor, StoredMixture mixture, SplittableRandom random) {
        float[][] factors = new float[parts.size()][];
        float[] weights = new float[parts.size()];
        for (int i = 0; i < weights.length; i++) {
            factors[i] = values(factor.apply(parts.get(i), path));
            weights[i] = (float) Math.sqrt(parts.get(i).factor(path));
        }
        return mixture.strategy().merge(factors, weights, mixture.density(), mixture.sign(), random);
    }

    private static float[] values(Tensor tensor) {
        float[] values = new float[Math.multiplyExact(tensor.rows(), tensor.cols())];
        for (int row = 0; row < tensor.rows(); row++) {
            System.arraycopy(tensor.row(row), 0, values, row * tensor.cols(), tensor.cols());
        }
        return values;
    }

    /** The rows of every A below one another, times what its adapter counts. */
    private float[] stackedA() {
        float[] stacked = new float[Math.multiplyExact(a.rows(), a.cols())];
        int at = 0;
        for (MergePart part : parts) {
            float factor = part.factor(path);
            for (float value : values(part.a(path))) {
                stacked[at++] = factor * value;
            }
        }
        return stacked;
    }

    /** The columns of every B beside one another. */
    private float[] besideB() {
        float[] beside = new float[Math.multiplyExact(b.rows(), b.cols())];
        int at = 0;
        for (int row = 0; row < b.rows(); row++) {
            for (MergePart part : parts) {
                float[] values = part.b(path).row(row);
                System.arraycopy(values, 0, beside, at, values.length);
                at += values.length;
            }
        }
        return beside;
    }
}
