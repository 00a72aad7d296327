package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.Decoder;
import dev.lory.model.Decoders;
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
    private Decoder base;

    @BeforeEach
    void open() throws IOException {
        math = new AdapterFolder("llama/adapters/math");
        base = Decoders.load(Path.of("src/test/resources/fixtures/models/llama/base"), backend);
    }

    @AfterEach
    void close() {
        backend.close();
    }

    private LoraWeights load(AdapterFolder adapter) throws IOException {
        return new PeftFolder(adapter.write(folder), AdapterPolicy.DEFAULT).load(base, backend);
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
                "tensor base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight has shape [4, 64], configuration and base"
                        + " model want [8, 64]");
    }

    @Test
    void refusesTensorsOfAnotherKind() throws IOException {
        assertRefused(
                new AdapterFolder("llama/adapters/math").add(Q + ".lora_magnitude_vector", 1, 64, 1),
                "tensor " + Q + ".lora_magnitude_vector has no use in a LoRA adapter");
        assertRefused(
                new AdapterFolder("llama/adapters/math").add(Q + ".lora_B.bias", 1, 64, 1),
                "tensor " + Q + ".lora_B.bias is for no linear that the base model has");
        assertRefused(
                new AdapterFolder("llama/adapters/math").add(Q + ".lora_A.default.weight", 4, 64, 1),
                "tensors " + Q + ".lora_A.weight and " + Q + ".lora_A.default.weight are the same");
        assertRefused(
                new AdapterFolder("llama/adapters/math").add(Q + ".lora_A.weight", 4, 64, Float.NaN),
                "tensor " + Q + ".lora_A.weight holds NaN");
    }

    @Test
    void onlyDoraAndWholeWeightsMustRunAlone() throws IOException {
        assertThat(load(math).exclusive()).isEmpty();
        assertThat(load(new AdapterFolder("llama/adapters/dora")).exclusive()).isEqualTo("use_dora");
        assertThat(load(savedHead()).exclusive()).isEqualTo("modules_to_save");
    }

    @Test
    void doraNeedsAMagnitudeForEachModule() throws IOException {
        assertRefused(
                new AdapterFolder("llama/adapters/dora").remove("layers.1.self_attn.q_proj.lora_magnitude_vector"),
                "model.layers.1.self_attn.q_proj has no lora_magnitude_vector");
        assertRefused(
                new AdapterFolder("llama/adapters/dora").add(Q + ".lora_magnitude_vector", 1, 63, 1),
                "tensor " + Q + ".lora_magnitude_vector has shape [1, 63]");
    }

    /** What PEFT adds to the file when the head is changed, or when it thinks that the vocabulary was resized. */
    @Test
    void aCopyOfTheBaseMustBeOne() throws IOException {
        String head = "base_model.model.lm_head";
        assertThat(load(new AdapterFolder("llama/adapters/head")).factors()).hasSize(15);
        assertRefused(
                new AdapterFolder("llama/adapters/head").add(head + ".base_layer.weight", 352, 64, 0.01f),
                "tensor " + head + ".base_layer.weight differs from the base model's");
        assertRefused(
                new AdapterFolder("llama/adapters/head").add(head + ".base_layer.weight", 351, 64, 0.01f),
                "tensor " + head + ".base_layer.weight differs from the base model's");
        assertRefused(
                new AdapterFolder("llama/adapters/head").add(head + ".base_layer.bias", 1, 352, 0),
                "tensor " + head + ".base_layer.bias differs from the base model's");
        assertThat(load(resized()).factors()).hasSize(14);
        assertRefused(
                resized().add(head + ".weight", 352, 64, 0.01f),
                "tensor " + head + ".weight differs from the base model's");
    }

    private static AdapterFolder resized() throws IOException {
        return new AdapterFolder("llama/adapters/head")
                .config("exclude_modules", "[\"lm_head\"]")
                .remove("lm_head.lora")
                .rename(name -> name.replace("lm_head.base_layer", "lm_head"));
    }

    private static AdapterFolder savedHead() throws IOException {
        return new AdapterFolder("llama/adapters/math")
                .config("modules_to_save", "[\"lm_head\"]")
                .add("base_model.model.lm_head.weight", 352, 64, 0.01f);
    }

    @Test
    void modulesToSaveAreHonouredOrRefusedByName() throws IOException {
        assertThat(load(savedHead()).factors()).hasSize(15);
        assertThat(load(savedHead()).targetModules()).contains("lm_head");
        assertRefused(savedHead().remove("lm_head"), "lm_head has no weight");
        assertRefused(
                savedHead().config("modules_to_save", "[\"lm_head\", \"norm\"]"),
                "modules_to_save names norm, which is neither a linear nor the embedding");
        assertRefused(
                savedHead().config("modules_to_save", "[\"lm_head\", \"_proj\"]"),
                "modules_to_save and target_modules both name model.layers.0.self_attn.q_proj");
        assertRefused(
                savedHead().add("base_model.model.lm_head.bias", 1, 352, 1),
                "tensor base_model.model.lm_head.bias differs from the base model's");
        assertRefused(
                savedHead().config("modules_to_save", "[]"),
                "tensor base_model.model.lm_head.weight differs from the base model's");
    }

    @Test
    void anEmbeddingHasTensorsOfItsOwn() throws IOException {
        String table = "base_model.model.model.embed_tokens";
        AdapterFolder changed = new AdapterFolder("llama/adapters/math")
                .config("target_modules", "[\"embed_tokens\"]")
                .remove("_proj")
                .add(table + ".lora_embedding_A", 4, 352, 1)
                .add(table + ".lora_embedding_B", 64, 4, 1);
        assertThat(load(changed).factors()).hasSize(1);
        assertRefused(changed.config("use_dora", "true"), "model.embed_tokens has no lora_magnitude_vector");
        assertRefused(
                changed.config("use_dora", "false").add(table + ".lora_A.weight", 4, 352, 1),
                "tensor " + table + ".lora_A.weight has no use for an embedding");
    }

    @Test
    void aBiasOfItsOwnIsRefusedByTheFieldThatAsksForIt() throws IOException {
        assertThat(load(math.config("bias", "\"all\"")).factors()).hasSize(14);
        assertRefused(
                math.add(Q + ".base_layer.bias", 1, 64, 1),
                "bias = \"all\": tensor " + Q + ".base_layer.bias differs from the base model's");
    }

    /** The base is not tied, so there is nothing that the adapter could change twice. */
    @Test
    void tyingIsRefusedOnlyWhereTheHeadIsTheEmbedding() throws IOException {
        AdapterFolder saved =
                math.config("ensure_weight_tying", "true").config("modules_to_save", "[\"embed_tokens\"]");
        assertThat(load(saved.add("base_model.model.model.embed_tokens.weight", 352, 64, 1))
                        .factors())
                .hasSize(15);
        base = Decoders.load(Path.of("src/test/resources/fixtures/models/gemma-embed/base"), backend);
        assertRefused(saved, "ensure_weight_tying = true is not supported where the head is the embedding");
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
