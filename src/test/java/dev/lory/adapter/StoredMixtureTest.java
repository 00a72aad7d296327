package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lory.adapter.MergeStrategy.MajoritySign;
import dev.lory.adapter.StoredMixture.Part;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.Decoder;
import dev.lory.model.Decoders;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Merged adapters of the fixtures, read back. */
final class StoredMixtureTest {
    private static final Path MODEL = Path.of("src/test/resources/fixtures/models/llama");
    private static final String Q = "model.layers.0.self_attn.q_proj";
    private static final String HEAD = "lm_head";

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(MergeStrategy.class)
    void isAnAdapterThatTheBaseTakes(MergeStrategy strategy) throws IOException {
        write(strategy, part("math", 0.75f), part("head", 0.5f));

        try (Backend backend = new ReferenceBackend()) {
            Decoder base = Decoders.load(MODEL.resolve("base"), backend);
            AdapterReport report = new PeftFolder(folder, AdapterPolicy.DEFAULT).check(base, backend);
            assertThat(report.findings()).isEmpty();
            assertThat(report.usable()).isTrue();
            assertThat(report.modules()).hasSize(15).allMatch(module -> module.scale() == 1 && module.norm() > 0);
        }
    }

    @Test
    void linearIsTheSumWhateverTheRanks() throws IOException {
        Part math = part("math", 0.75f);
        Part biology = part("biology", -1.5f);
        write(MergeStrategy.LINEAR, math, biology);

        for (String module : List.of(Q, "model.layers.1.mlp.down_proj", "model.layers.1.self_attn.v_proj")) {
            double[][] sum = update(math, module);
            double[][] other = update(biology, module);
            double[][] merged = update(merged(), module);
            for (int out = 0; out < sum.length; out++) {
                for (int in = 0; in < sum[out].length; in++) {
                    assertThat(merged[out][in]).isCloseTo(sum[out][in] + other[out][in], within(1e-6));
                }
            }
        }
    }

    @Test
    void ofOneAdapterNothingButItsWeightChanges() throws IOException {
        Part math = part("math", 0.5f);
        write(MergeStrategy.TIES, math);

        double[][] whole = update(math, Q);
        double[][] merged = update(merged(), Q);
        for (int out = 0; out < whole.length; out++) {
            assertThat(merged[out]).containsExactly(whole[out], within(1e-6));
        }
    }

    @Test
    void aModuleThatOneAdapterChangesIsThatAdapters() throws IOException {
        Part head = part("head", 1);
        write(MergeStrategy.TIES, part("math", 1), head);

        double[][] whole = update(head, HEAD);
        double[][] merged = update(merged(), HEAD);
        for (int out = 0; out < whole.length; out++) {
            assertThat(merged[out]).containsExactly(whole[out], within(1e-6));
        }
    }

    @Test
    void theSeedSaysWhatIsDropped() throws IOException {
        byte[] first = dare(1);
        assertThat(dare(1)).isEqualTo(first);
        assertThat(dare(2)).isNotEqualTo(first);
    }

    private byte[] dare(long seed) throws IOException {
        new StoredMixture(List.of(part("math", 1)), MergeStrategy.DARE_LINEAR, 0.5, MajoritySign.TOTAL, seed)
                .write(folder);
        return Files.readAllBytes(folder.resolve(PeftFolder.WEIGHTS));
    }

    @Test
    void refusesWhatCannotBeMerged() {
        assertThatThrownBy(() -> write(MergeStrategy.TIES, part("math", 1), part("dora", 1)))
                .hasMessageContaining("`dora` cannot be merged: it has use_dora");
        assertThatThrownBy(() -> write(MergeStrategy.TIES, part("math", 1), part("biology", 1)))
                .hasMessage("model.layers.0.mlp.down_proj: `biology` has rank 6, `math` 4, but must be the same");
    }

    @Test
    void refusesAdaptersOfDifferentModels() {
        Path other = Path.of("src/test/resources/fixtures/models/gemma/adapters/math");
        assertThatThrownBy(() -> write(MergeStrategy.LINEAR, part("math", 1), new Part("other", other, 1)))
                .hasMessageContaining("`other` has shapes [");
    }

    private void write(MergeStrategy strategy, Part... parts) throws IOException {
        new StoredMixture(List.of(parts), strategy, 1, MajoritySign.TOTAL, 0).write(folder);
    }

    private Part merged() {
        return new Part("merged", folder, 1);
    }

    private static Part part(String name, float weight) {
        return new Part(name, MODEL.resolve("adapters").resolve(name), weight);
    }

    /** Weight · scale · B·A of one module. */
    private static double[][] update(Part part, String module) {
        try (MergePart read = MergePart.read(part)) {
            Tensor a = read.a(module);
            Tensor b = read.b(module);
            double[][] update = new double[b.rows()][a.cols()];
            for (int out = 0; out < b.rows(); out++) {
                for (int in = 0; in < a.cols(); in++) {
                    for (int r = 0; r < a.rows(); r++) {
                        update[out][in] += (double) read.factor(module) * b.get(out, r) * a.get(r, in);
                    }
                }
            }
            return update;
        }
    }
}
