package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.kernel.Backend;
import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.kernel.RowGroups;
import dev.lory.model.LinearSite;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Slots and what they add, on two sites of one input and one output: x = 2, y = 1 to begin with. */
final class LoraDeltaTest {
    private static final LinearSite FIRST =
            new LinearSite("model.layers.0.self_attn.q_proj", 0, new LinearSite.Shape(1, 1), 0, 1);
    private static final LinearSite SECOND =
            new LinearSite("model.layers.0.self_attn.k_proj", 1, new LinearSite.Shape(1, 1), 0, 1);

    private final Backend backend = new ReferenceBackend();
    private final Arena arena = Arena.ofConfined();
    private final AdapterSlots slots = new AdapterSlots(2);
    private final LoraDelta delta = new LoraDelta(backend, slots);

    @AfterEach
    void close() {
        arena.close();
        backend.close();
    }

    /** An adapter that adds {@code amounts[i] · x} to site i; 0 leaves the site alone. */
    private LoraWeights adding(float... amounts) {
        Map<Integer, LoraFactors> factors = new HashMap<>();
        for (int site = 0; site < amounts.length; site++) {
            if (amounts[site] != 0) {
                Tensor a = Tensor.of(arena, 1, 1, amounts[site]);
                Tensor b = Tensor.of(arena, 1, 1, 0.5f);
                factors.put(site, backend.loadLora(a, b, 2));
            }
        }
        return new LoraWeights("digest", 1, 8, List.of("q_proj"), "", factors);
    }

    /** y of both sites for three rows. */
    private List<List<Float>> outputs(RowGroups rows) {
        Tensor x = Tensor.of(arena, 3, 1, 2, 2, 2);
        Tensor[] ys = {Tensor.of(arena, 3, 1, 1, 1, 1), Tensor.of(arena, 3, 1, 1, 1, 1)};
        delta.add(List.of(FIRST, SECOND), rows, x, ys);
        List<List<Float>> outputs = new ArrayList<>();
        for (Tensor y : ys) {
            outputs.add(List.of(y.get(0, 0), y.get(1, 0), y.get(2, 0)));
        }
        return outputs;
    }

    @Test
    void eachRowGetsItsOwnAdaptersWithItsOwnWeights() {
        int three = slots.put(adding(3, 0));
        int five = slots.put(adding(5, 7));
        RowGroups rows = new RowGroups();
        rows.group(three);
        rows.add(0, 1);
        rows.add(2, 0.5f);
        rows.group(five);
        rows.add(2, -2);

        // row 1 is the base's; row 2 is 1 + 0.5·3·2 - 2·5·2 and 1 - 2·7·2
        assertThat(outputs(rows)).containsExactly(List.of(7f, 1f, -16f), List.of(1f, 1f, -27f));
    }

    @Test
    void aFreedSlotIsTakenAgainAndHoldsNothingOfBefore() {
        int first = slots.put(adding(3, 3));
        int second = slots.put(adding(5, 5));
        slots.remove(first);
        RowGroups rows = new RowGroups();
        rows.group(first);
        rows.add(0, 1);
        assertThat(outputs(rows)).containsExactly(List.of(1f, 1f, 1f), List.of(1f, 1f, 1f));

        assertThat(slots.put(adding(0, 7))).isEqualTo(first).isNotEqualTo(second);
        assertThat(outputs(rows)).containsExactly(List.of(1f, 1f, 1f), List.of(15f, 1f, 1f));
    }

    @Test
    void thereAreAsManySlotsAsAdapters() {
        List<Integer> taken = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            taken.add(slots.put(adding(1 + i)));
        }
        assertThat(taken).doesNotHaveDuplicates();
        for (int i = 0; i < 40; i++) {
            RowGroups rows = new RowGroups();
            rows.group(taken.get(i));
            rows.add(1, 1);
            assertThat(outputs(rows)).containsExactly(List.of(1f, 1 + 2f * (1 + i), 1f), List.of(1f, 1f, 1f));
        }
    }
}
