package dev.lory.model.arch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lory.format.ModelConfig;
import dev.lory.model.DecoderSpec;
import dev.lory.model.RopeScaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each way to stretch rotary positions against what the formulas of transformers' modeling_rope_utils give in float32. */
final class RopeScalingTest {
    @TempDir
    Path folder;

    private DecoderSpec spec(String architecture, int headDim, int positions, String keys) throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(config, """
                {"architectures": ["%sForCausalLM"], "vocab_size": 100, "hidden_size": %d, "intermediate_size": 128,
                 "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4,
                 "max_position_embeddings": %d, %s}""".formatted(architecture, 4 * headDim, positions, keys));
        return Architectures.spec(ModelConfig.read(config));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "Llama | \"rope_theta\": 1e6, \"rope_scaling\": null | 1 | 64 | 1.0 0.17782793939113617 0.03162277862429619"
                        + " 0.005623413249850273 0.0010000000474974513 0.00017782794020604342 3.162277425872162e-05"
                        + " 5.62341347176698e-06",
                "Llama | \"rope_scaling\": {\"type\": \"linear\", \"factor\": 4.0} | 1 | 256"
                        + " | 0.25 0.02500000037252903 0.0024999999441206455 0.0002500000118743628",
                "Phi | \"partial_rotary_factor\": 0.5, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 4} | 1 | 256"
                        + " | 0.25 0.0024999999441206455",
                "Llama | \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
                        + " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 64}, \"rope_theta\": 5e5 | 1 | 64"
                        + " | 1.0 0.07940301299095154 0.004700753837823868 0.0009115831344388425 0.00017677668074611574"
                        + " 3.428102354519069e-05 6.647870577580761e-06 1.289173155782919e-06",
                "Llama | \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4.0} | 1.138629436111989 | 256"
                        + " | 1.0 0.23717081546783447 0.04999999701976776 0.007905694656074047 0.0024999999441206455"
                        + " 0.0007905694656074047 0.0002500000118743628 7.905694656074047e-05",
                "Llama | \"rope_parameters\": {\"rope_type\": \"yarn\", \"rope_theta\": 10000.0, \"factor\": 8.0, \"beta_fast\": 4,"
                        + " \"beta_slow\": 1.5, \"truncate\": false, \"mscale\": 0.707, \"mscale_all_dim\": 1.2,"
                        + " \"original_max_position_embeddings\": 512} | 0.9179561730379721 | 4096"
                        + " | 1.0 0.3162277638912201 0.10000000149011612 0.01921781711280346 0.0012499999720603228"
                        + " 0.00039528473280370235 0.0001250000059371814 3.9528473280370235e-05",
                "Llama | \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32768,"
                        + " \"attention_factor\": 0.5}, \"rope_theta\": 1e6 | 0.5 | 131072"
                        + " | 1.0 0.4216965138912201 0.17782793939113617 0.07498941570520401 0.03162277862429619"
                        + " 0.01333521492779255 0.00477990135550499 0.001659961650148034 0.0005499999970197678"
                        + " 0.00016867861268110573 4.4456985051510856e-05 1.8747356079984456e-05 7.905693564680405e-06"
                        + " 3.333803988425643e-06 1.405853367941745e-06 5.928434347879374e-07"
            })
    void givesTheFrequenciesOfTransformers(
            String architecture, String keys, double magnitude, int maxPositions, String frequencies)
            throws IOException {
        double[] expected = Stream.of(frequencies.split(" "))
                .mapToDouble(Double::parseDouble)
                .toArray();
        int headDim = architecture.equals("Phi") ? 8 : 2 * expected.length;
        DecoderSpec spec = spec(architecture, headDim, 64, keys);
        DecoderSpec.Rope rope = spec.attention().rope();
        assertThat(rope.dims()).isEqualTo(2 * expected.length);
        assertThat(spec.maxPositions()).isEqualTo(maxPositions);
        assertThat((double) rope.scaling().magnitude()).isCloseTo(magnitude, within(1e-6));
        assertThat(rope.scaling().rotation(1000)).isZero();
        assertFrequencies(rope, 0, expected);
    }

    /** To two units in the last place of a float. */
    private static void assertFrequencies(DecoderSpec.Rope rope, int rotation, double... expected) {
        float[] actual = rope.scaling().frequencies(rope.dims(), rope.theta(), rotation);
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i]).as("frequency %d", i).isCloseTo(expected[i], within(expected[i] * 2.4e-7));
        }
    }

    @Test
    void growsTheBaseWithTheSequenceIfDynamic() throws IOException {
        DecoderSpec.Rope rope = spec("Llama", 8, 64, "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 4.0}")
                .attention()
                .rope();
        RopeScaling scaling = rope.scaling();
        assertThat(scaling.rotation(64)).isEqualTo(scaling.rotation(1)).isZero();
        assertThat(scaling.rotation(65)).isNotEqualTo(scaling.rotation(66)).isNotZero();
        assertFrequencies(
                rope, scaling.rotation(64), 1.0, 0.10000000149011612, 0.009999999776482582, 0.0010000000474974513);
        // half as long again as the original: the base is 10000 · 3^(8/6)
        assertFrequencies(
                rope, scaling.rotation(96), 1.0, 0.06933612376451492, 0.004807498771697283, 0.00033333332976326346);
    }

    @Test
    void takesTheLongFactorsBeyondTheOriginalLength() throws IOException {
        for (String type : new String[] {"longrope", "su", "yarn"}) {
            DecoderSpec spec = spec("Phi3", 8, 512, """
                    "original_max_position_embeddings": 40, "rope_scaling":
                    {"type": "%s", "short_factor": [1, 1, 1, 1], "long_factor": [1, 1.5, 2, 4]}""".formatted(type));
            RopeScaling scaling = spec.attention().rope().scaling();
            assertThat(spec.maxPositions()).isEqualTo(512);
            assertThat((double) scaling.magnitude()).isCloseTo(1.3004293223324241, within(1e-6));
            assertThat(scaling.rotation(40)).isZero();
            assertFrequencies(
                    spec.attention().rope(),
                    scaling.rotation(40),
                    1.0,
                    0.10000000149011612,
                    0.009999999776482582,
                    0.0010000000474974513);
            assertFrequencies(
                    spec.attention().rope(),
                    scaling.rotation(41),
                    1.0,
                    0.06666667014360428,
                    0.004999999888241291,
                    0.0002500000118743628);
        }
    }
}
