package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lory.adapter.AdapterReport.Module;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.format.SafetensorsSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.Decoder;
import dev.lory.model.Decoders;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is found out about an adapter before it is let in, and what the policy asks of it. */
final class PeftFolderTest {
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

    private AdapterReport check(AdapterFolder adapter, AdapterPolicy policy) throws IOException {
        return new PeftFolder(adapter.write(folder), policy).check(base, backend);
    }

    @Test
    void reportsFilesRanksAndNorms() throws IOException {
        AdapterReport report = check(math, AdapterPolicy.DEFAULT);

        assertThat(report.usable()).isTrue();
        assertThat(report.findings()).isEmpty();
        assertThat(report.rank()).isEqualTo(4);
        assertThat(report.files())
                .extracting(AdapterReport.File::name)
                .containsExactly("adapter_config.json", "adapter_model.safetensors");
        assertThat(report.files().get(1).bytes()).isEqualTo(Files.size(folder.resolve("adapter_model.safetensors")));
        assertThat(report.modules()).hasSize(14);
        Module q = report.modules().stream()
                .filter(module -> Q.endsWith(module.path()))
                .findFirst()
                .orElseThrow();
        try (SafetensorsSource source = SafetensorsSource.open(folder.resolve("adapter_model.safetensors"))) {
            Tensor a = source.tensor(Q + ".lora_A.weight");
            Tensor b = source.tensor(Q + ".lora_B.weight");
            assertThat(q.norm()).isCloseTo(Math.abs(q.scale()) * lengthOfProduct(b, a), within(1e-4 * q.norm()));
        }
    }

    private static double lengthOfProduct(Tensor b, Tensor a) {
        double square = 0;
        for (int out = 0; out < b.rows(); out++) {
            for (int in = 0; in < a.cols(); in++) {
                double sum = 0;
                for (int r = 0; r < a.rows(); r++) {
                    sum += b.get(out, r) * a.get(r, in);
                }
                square += sum * sum;
            }
        }
        return Math.sqrt(square);
    }

    @Test
    void findsAllMistakesAtOnce() throws IOException {
        AdapterFolder broken = math.remove("layers.0.self_attn.k_proj")
                .remove("layers.1.mlp.up_proj.lora_B")
                .add(Q + ".lora_A.weight", 4, 64, Float.NaN)
                .add("base_model.model.model.layers.7.self_attn.q_proj.lora_A.weight", 4, 64, 1)
                .add("what.is.this", 1, 1, 1);

        AdapterReport report = check(broken, AdapterPolicy.DEFAULT);

        assertThat(report.usable()).isFalse();
        assertThat(report.digest()).hasSize(64);
        assertThat(report.findings())
                .extracting(Finding::detail)
                .anySatisfy(detail -> assertThat(detail).contains("what.is.this is nothing of a LoRA adapter"))
                .anySatisfy(
                        detail -> assertThat(detail).contains("layers.0.self_attn.k_proj, but there are no tensors"))
                .anySatisfy(detail -> assertThat(detail).contains("layers.1.mlp.up_proj has no lora_B"))
                .anySatisfy(detail -> assertThat(detail).contains("q_proj.lora_A.weight holds NaN"))
                .anySatisfy(detail -> assertThat(detail).contains("layers.7").contains("for no linear"))
                .hasSize(5);
        assertThatThrownBy(() -> new PeftFolder(folder, AdapterPolicy.DEFAULT).load(base, backend))
                .hasMessageEndingWith("; and 4 more")
                .satisfies(e -> assertThat(((ServiceException) e).members().get("findings"))
                        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.LIST)
                        .hasSize(5));
    }

    @Test
    void passesOverWhatPeftWouldIfThePolicySaysSo() throws IOException {
        AdapterPolicy partial = new AdapterPolicy(true, 1 << 20, 0, List.of());
        AdapterFolder adapter = math.remove("layers.0.self_attn.k_proj")
                .add("base_model.model.model.layers.7.self_attn.q_proj.lora_A.weight", 4, 64, 1);

        AdapterReport report = check(adapter, partial);

        assertThat(report.usable()).isTrue();
        assertThat(report.findings()).hasSize(2).allMatch(finding -> finding.severity() == Finding.Severity.WARNING);
        assertThat(report.modules()).hasSize(13);
        try (LoraWeights weights = new PeftFolder(folder, partial).load(base, backend)) {
            assertThat(weights.factors()).hasSize(13);
        }
        assertThat(check(math.remove("lora_"), partial).findings())
                .extracting(Finding::detail)
                .contains("target_modules names no module of the base model");
    }

    @Test
    void refusesWhatIsLargerThanThePolicyAllows() throws IOException {
        assertThat(check(math, new AdapterPolicy(false, 1000, 0, List.of())).findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.detail())
                        .contains("adapter_model.safetensors has ")
                        .endsWith("at most 1000 are allowed"));
        assertThat(check(math, new AdapterPolicy(false, 1 << 20, 3, List.of())).findings())
                .hasSize(14)
                .allSatisfy(finding -> assertThat(finding.detail()).endsWith("is 4, at most 3 is allowed"));
        Files.write(folder.resolve("adapter_config.json"), new byte[2 << 20]);
        assertThat(new PeftFolder(folder, AdapterPolicy.DEFAULT)
                        .check(base, backend)
                        .findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.detail()).contains("adapter_config.json has 2097152 bytes"));
    }

    @Test
    void saysWhyAPickleIsNotRead() throws IOException {
        math.write(folder);
        Files.move(folder.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.bin"));
        assertThat(new PeftFolder(folder, AdapterPolicy.DEFAULT)
                        .check(base, backend)
                        .findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.detail()).contains("may run code when it is read"));
    }

    @Test
    void takesOnlyWhatASignerSigned() throws IOException, GeneralSecurityException {
        KeyPair other = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        KeyPair keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        var policy = new AdapterPolicy(false, 1 << 20, 0, List.of(other.getPublic(), keys.getPublic()));
        assertThat(refusal(policy)).contains("has no adapter.sig, and this service takes signed adapters only");

        Path signature = folder.resolve("adapter.sig");
        Files.write(signature, new byte[63]);
        assertThat(refusal(policy)).contains("is no Ed25519 signature, which has 64 bytes");
        Files.write(signature, sign(keys));
        assertThat(check(math, policy).usable()).isTrue();
        Files.write(signature, sign(KeyPairGenerator.getInstance("Ed25519").generateKeyPair()));
        assertThat(refusal(policy)).contains("is by none of the keys of this service");
        Files.write(signature, sign(keys));
        math.config("lora_alpha", "3");
        assertThat(refusal(policy)).contains("or the files were changed since");
    }

    private String refusal(AdapterPolicy policy) throws IOException {
        AdapterReport report = check(math, policy);
        assertThat(report.usable()).isFalse();
        return report.findings().getFirst().detail();
    }

    /** Over what the command line program prints; the digest is that of the same lines. */
    private byte[] sign(KeyPair keys) throws IOException, GeneralSecurityException {
        StringBuilder lines = new StringBuilder();
        for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
            lines.append(sha256(Files.readAllBytes(folder.resolve(name))))
                    .append("  ")
                    .append(name)
                    .append("\n");
        }
        byte[] text = lines.toString().getBytes(StandardCharsets.UTF_8);
        assertThat(new PeftFolder(folder, AdapterPolicy.DEFAULT)
                        .check(base, backend)
                        .digest())
                .isEqualTo(sha256(text));
        Signature ed25519 = Signature.getInstance("Ed25519");
        ed25519.initSign(keys.getPrivate());
        ed25519.update(text);
        return ed25519.sign();
    }

    private static String sha256(byte[] bytes) throws GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
