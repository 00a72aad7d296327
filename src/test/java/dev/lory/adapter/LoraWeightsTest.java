package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.ModelSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.DecoderSpec;
import dev.lory.model.arch.Architectures;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names and shapes of an adapter's tensors, on changed copies of an adapter that is sound. */
final class LoraWeightsTest {
    private static final String Q = "base_model.model.model.layers.1.self_attn.q_proj";

    @TempDir
    Path folder;

    private final Backend backend = new ReferenceBackend();
    private AdapterFolder math;
    private DecoderSpec spec;

    @BeforeEach
    void open() throws IOException {
        math = new AdapterFolder("llama/adapters/math");
        try (ModelSource source = ModelSource.open(Path.of("src/test/resources/fixtures/models/llama/base"))) {
            spec = Architectures.spec(source.config());
        }
    }

    @AfterEach
    void close() {
        backend.close();
    }

    private LoraWeights load(AdapterFolder adapter) throws IOException {
        return LoraWeights.load(adapter.write(folder), spec, backend);
    }

    @Test
    void saysWhatItHolds() throws IOException {
        LoraWeights weights = load(math);

        assertThat(weights.rank()).isEqualTo(4);
        assertThat(weights.targetModules())
                .containsExactly("down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj");
        assertThat(weights.factors()).hasSize(14);
        assertThat(weights.digest()).hasSize(64);
    }

    @Test
    void theDigestIsOfTheContents() throws IOException {
        String digest = load(math).digest();

        assertThat(load(math).digest()).isEqualTo(digest);
        assertThat(load(math.config("lora_alpha", "9")).digest()).isNotEqualTo(digest);
    }

    @Test
    void prefixAndAdapterNameInTensorNamesMakeNoDifference() throws IOException {
        assertThat(load(math.rename(name -> name.replace("base_model.model.", "")))
                        .factors())
                .hasSize(14);
        assertThat(load(math.rename(name -> name.replace(".weight", ".layers.weight")))
                        .factors())
                .hasSize(14);
    }

    @Test
    void aListedModuleThatTheBaseHasNotIsNoError() throws IOException {
        assertThat(load(math.config("target_modules", "[\"q_proj\", \"c_attn\"]")
                                .remove("_proj.")
                                .add(Q.replace(".1.", ".0.") + ".lora_A.weight", 4, 64, 1)
                                .add(Q.replace(".1.", ".0.") + ".lora_B.weight", 64, 4, 1)
                                .add(Q + ".lora_A.weight", 4, 64, 1)
                                .add(Q + ".lora_B.weight", 64, 4, 1))
                        .factors())
                .hasSize(2);
    }

    private void assertRefused(AdapterFolder adapter, String reason) {
        assertThatThrownBy(() -> load(adapter))
                .isInstanceOf(ServiceException.class)
                .satisfies(e -> assertThat(((ServiceException) e).code()).isEqualTo(ErrorCode.INVALID_ADAPTER))
                .hasMessageContaining(folder + "/adapter_model.safetensors: " + reason);
    }

    @Test
    void refusesTensorsThatDoNotAgreeWithTheConfiguration() throws IOException {
        assertRefused(
                new AdapterFolder("llama/adapters/math").remove("layers.1.self_attn.q_proj"),
                "target_modules names model.layers.1.self_attn.q_proj, but there are no tensors for it");
        assertRefused(
                new AdapterFolder("llama/adapters/math").config("exclude_modules", "[\"o_proj\"]"),
                "tensor base_model.model.model.layers.0.self_attn.o_proj.lora_A.weight is for a module that target_modules");
        assertRefused(
                new AdapterFolder("llama/adapters/math").config("target_modules", "[\"query\"]"),
                "tensor base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight is for a module that target_modules");
        assertRefused(
                new AdapterFolder("llama/adapters/math")
                        .config("target_modules", "[\"query\"]")
                        .remove("_proj")
                        .add("x.lora_A.weight", 1, 1, 1),
                "tensor x.lora_A.weight is for no linear that the base model has");
        assertRefused(
                new AdapterFolder("llama/adapters/math").remove("layers.1.self_attn.q_proj.lora_B"),
                "model.layers.1.self_attn.q_proj has no lora_B");
        assertRefused(
                new AdapterFolder("llama/adapters/math").config("r", "8"),
                "tensor base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight has shape [4, 64], r and the base"
                        + " model want [8, 64]");
    }

    @Test
    void refusesTensorsOfAnotherKind() throws IOException {
        assertRefused(
                new AdapterFolder("llama/adapters/math").add(Q + ".lora_magnitude_vector", 1, 64, 1),
                "tensor " + Q + ".lora_magnitude_vector is not supported here");
        assertRefused(
                new AdapterFolder("llama/adapters/math").add(Q + ".lora_B.bias", 1, 64, 1),
                "tensor " + Q + ".lora_B.bias is nothing of a LoRA adapter");
        assertRefused(
                new AdapterFolder("llama/adapters/math").add(Q + ".lora_A.default.weight", 4, 64, 1),
                "tensors " + Q + ".lora_A.weight and " + Q + ".lora_A.default.weight are the same");
        assertRefused(
                new AdapterFolder("llama/adapters/math").add(Q + ".lora_A.weight", 4, 64, Float.NaN),
                "tensor " + Q + ".lora_A.weight holds NaN");
    }

    /** PEFT strips the adapter's name from every key, so one called {@code layers} or {@code model} loses its tensors. */
    @Test
    void refusesWhatIsLeftOfAnAdapterWithAnUnluckyName() throws IOException {
        assertRefused(
                new AdapterFolder("llama/adapters/math").rename(name -> name.replace(".layers", "")),
                "target_modules names model.layers.0.self_attn.q_proj, but there are no tensors for it");
        assertRefused(
                new AdapterFolder("llama/adapters/math").rename(name -> name.replace(".model", "")),
                "target_modules names model.layers.0.self_attn.q_proj, but there are no tensors for it");
    }
}
