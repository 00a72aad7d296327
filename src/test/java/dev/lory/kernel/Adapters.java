package dev.lory.kernel;

import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Six adapters of unequal ranks on two linears of one input, and the rows that run with them: some with several, some with none. */
final class Adapters {
    private static final int[] RANKS = {1, 3, 8, 16, 17, 64};
    private static final float[] WEIGHTS = {1, 0, -1.5f, 0.25f};
    private static final float SCALE = 2.5f;

    private record Factors(Tensor a, Tensor b) {}

    /** Of each output and slot; what is missing leaves the output alone. */
    private final List<List<Factors>> factors = new ArrayList<>();

    private final boolean absolute;

    Adapters(Samples samples, DType dtype, int in, int... outs) {
        absolute = false;
        for (int out : outs) {
            List<Factors> slots = new ArrayList<>();
            for (int rank : RANKS) {
                slots.add(new Factors(samples.weight(dtype, rank, in), samples.weight(dtype, out, rank)));
            }
            factors.add(slots);
        }
    }

    private Adapters(Adapters of) {
        absolute = true;
        for (List<Factors> slots : of.factors) {
            factors.add(slots.stream()
                    .map(slot -> new Factors(Samples.magnitudes(slot.a), Samples.magnitudes(slot.b)))
                    .toList());
        }
    }

    /** From each slot on one for each output: what X-LoRA's classifier said of the row. Slot 4 has none at the first output. */
    private static float[] gates(int row) {
        float[] gates = new float[RANKS.length + 2];
        for (int i = 0; i < gates.length; i++) {
            gates[i] = i == 4 ? 0 : (row + i) % 3 * 0.25f;
        }
        return gates;
    }

    /** The same without any signs. */
    Adapters magnitudes() {
        return new Adapters(this);
    }

    /** Loads them; slot 2 leaves the first output alone, slots 0 and 5 the second. */
    LoraFactors[][] load(Backend backend) {
        LoraFactors[][] loaded = new LoraFactors[factors.size()][RANKS.length];
        for (int output = 0; output < loaded.length; output++) {
            for (int slot = 0; slot < RANKS.length; slot++) {
                boolean none = output == 0 ? slot == 2 : slot == 0 || slot == 5;
                Factors of = factors.get(output).get(slot);
                loaded[output][slot] = none ? LoraFactors.NONE : backend.loadLora(of.a, of.b, SCALE);
            }
        }
        return loaded;
    }

    /** The numbers of the outputs. */
    int[] sites() {
        return IntStream.range(0, factors.size()).toArray();
    }

    /** Which of the rows {@code from .. from + count - 1} run with which adapters. */
    RowGroups rows(int from, int count) {
        RowGroups groups = new RowGroups();
        groups.clear();
        for (int slot : new int[] {3, 0, 5, 1, 2, 4}) {
            boolean open = false;
            for (int row = from; row < from + count; row++) {
                // every seventh row has none, slot 4 has nearly all others
                if (row % 7 != 0 && (slot == 4 || (row + slot) % 3 == 0)) {
                    if (!open) {
                        groups.group(slot);
                        open = true;
                    }
                    float weight = WEIGHTS[(row + slot) % WEIGHTS.length];
                    if (row % 5 == 0) {
                        groups.add(row - from, absolute ? Math.abs(weight) : weight, gates(row), slot);
                    } else {
                        groups.add(row - from, absolute ? Math.abs(weight) : weight);
                    }
                }
            }
        }
        return groups;
    }
}
