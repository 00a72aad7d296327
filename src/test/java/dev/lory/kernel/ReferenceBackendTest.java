package dev.lory.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lory.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The oracle's own arithmetic against numbers worked out elsewhere. */
final class ReferenceBackendTest {
    private final ReferenceBackend backend = new ReferenceBackend();

    @AfterEach
    void close() {
        backend.close();
    }

    private Tensor matrix(int cols, float... values) {
        Tensor matrix = backend.allocate(values.length / cols, cols);
        for (int i = 0; i < values.length; i++) {
            matrix.set(i / cols, i % cols, values[i]);
        }
        return matrix;
    }

    private static void assertRow(Tensor matrix, int row, double... expected) {
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) matrix.get(row, i)).as("[%d, %d]", row, i).isCloseTo(expected[i], within(1e-6));
        }
    }

    @Test
    void activatesAsTorchDoes() {
        Tensor x = matrix(5, -3, -0.5f, 0, 1, 30);
        Tensor y = backend.allocate(1, 5);
        backend.activate(Activation.GELU, x, y);
        assertRow(y, 0, -0.00404969, -0.15426877, 0, 0.84134475, 30);
        backend.activate(Activation.GELU_TANH, x, y);
        assertRow(y, 0, -0.00363739, -0.15428599, 0, 0.84119199, 30);
        backend.activate(Activation.SILU, x, y);
        assertRow(y, 0, -0.14227761, -0.18877033, 0, 0.73105858, 30);
    }

    @Test
    void normalisesAroundTheMean() {
        Tensor y = backend.allocate(1, 4);
        backend.layerNorm(matrix(4, 1, 2, 3, 6), matrix(4, 1, 1, 2, 1), matrix(4, 0, 0, 0, 10), 0.5f, y);
        assertRow(y, 0, -2 / 2.0, -1 / 2.0, 0, 3 / 2.0 + 10);
    }

    @Test
    void capsAndScales() {
        Tensor y = matrix(3, -100, 0.3f, 2);
        backend.scale(2, y);
        backend.softCap(5, y);
        assertRow(y, 0, -5, 5 * Math.tanh(0.6 / 5), 5 * Math.tanh(0.8));
    }

    @Test
    void routesEachRowToItsBestExpertsAndAddsTheirOutputsWeighted() {
        Tensor logits = matrix(4, 1, 3, 2, 3, 0, -1, 0, 0);
        RowGroups routes = new RowGroups();
        backend.route(logits, 2, routes);
        double share = 1 / (1 + Math.exp(0));
        assertThat(routes.groups()).isEqualTo(4);
        Tensor x = matrix(2, 1, 2, 3, 4);
        Tensor y = backend.allocate(2, 2);
        String seen = "";
        for (int g = 0; g < routes.groups(); g++) {
            int count = routes.start(g + 1) - routes.start(g);
            Tensor rows = backend.allocate(count, 2);
            backend.gather(x, routes, g, rows);
            seen += routes.key(g) + ":" + routes.row(routes.start(g)) + " ";
            backend.scale(routes.key(g) + 1, rows);
            backend.scatterAdd(rows, routes, g, y);
        }
        assertThat(seen).isEqualTo("0:1 1:0 2:1 3:0 ");
        assertRow(y, 0, share * 2 + share * 4, 2 * (share * 2 + share * 4));
        assertRow(y, 1, 3 * (share * 1 + share * 3), 4 * (share * 1 + share * 3));
    }

    @Test
    void looksBackAsFarAsTheWindowReaches() {
        KvCache kv = backend.allocateKv(1, 1, 4, 1);
        StepBatch batch = new StepBatch(4);
        batch.sequence(new int[] {0}, 0);
        for (int position = 0; position < 4; position++) {
            batch.add(0, position, position);
        }
        backend.storeKv(matrix(1, 0, 0, 0, 0), matrix(1, 1, 10, 100, 1000), kv, 0, batch);
        Tensor y = backend.allocate(4, 1);
        backend.attention(matrix(1, 1, 1, 1, 1), kv, 0, new AttentionShape(1, 1, 1, 1, 0, 2), batch, y);
        assertThat(new float[] {y.get(0, 0), y.get(1, 0), y.get(2, 0), y.get(3, 0)})
                .containsExactly(1, 5.5f, 55, 550);
    }

    @Test
    void capsScoresBeforeTheSoftmax() {
        KvCache kv = backend.allocateKv(1, 1, 2, 1);
        StepBatch batch = new StepBatch(2);
        batch.sequence(new int[] {0}, 0);
        batch.add(0, 0, 0);
        batch.add(0, 1, 1);
        backend.storeKv(matrix(1, 0, 8), matrix(1, 0, 1), kv, 0, batch);
        Tensor y = backend.allocate(2, 1);
        backend.attention(matrix(1, 1, 1), kv, 0, new AttentionShape(1, 1, 1, 0.5f, 2, Integer.MAX_VALUE), batch, y);
        double score = 2 * Math.tanh(8 * 0.5 / 2);
        assertRow(y, 1, Math.exp(score) / (1 + Math.exp(score)));
    }

    @Test
    void rotatesByTheAngleThatTheBatchNames() {
        StepBatch batch = new StepBatch(2);
        batch.sequence(new int[] {0}, 0);
        batch.add(0, 0, 0);
        batch.add(0, 1, 1);
        batch.rotateBy(1, 2);
        Tensor cos = matrix(1, 1, 1, 0);
        Tensor sin = backend.allocate(3, 1);
        backend.write(new float[] {1}, sin, 2);
        Tensor x = matrix(3, 1, 2, 3, 1, 2, 3);
        backend.rope(x, 3, cos, sin, batch);
        assertRow(x, 0, 1, 2, 3);
        assertRow(x, 1, -2, 1, 3);
    }
}
