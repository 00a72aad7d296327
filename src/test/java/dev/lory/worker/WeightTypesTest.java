package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lory.format.ConvertedSource;
import dev.lory.format.ModelSource;
import dev.lory.format.TensorInfo;
import dev.lory.format.TensorSource;
import dev.lory.format.WeightType;
import dev.lory.kernel.Backend;
import dev.lory.kernel.cpu.CpuBackend;
import dev.lory.kernel.cpu.Kernels;
import dev.lory.model.Decoder;
import dev.lory.model.DecoderLoader;
import dev.lory.model.DecoderSpec;
import dev.lory.model.LinearSite;
import dev.lory.model.arch.Architectures;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.GenerationEvent.PromptScored;
import dev.lory.worker.GenerationEvent.Token;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code --dtype} on a model in F32 that lies in two shards. */
final class WeightTypesTest {
    private static final Path MODEL = Path.of("src/test/resources/fixtures/models/llama/base");

    @ParameterizedTest
    @CsvSource({"f32, 1e-6", "f16, 0.01", "bf16, 0.1", "q8_0, 0.5", "q4_0, 3"})
    void answersAsTheModelItselfButForTheRounding(String dtype, float most) {
        List<Float> exact = logprobs("auto");
        List<Float> rounded = logprobs(dtype);
        assertThat(rounded).hasSameSizeAs(exact).hasSize(23);
        for (int i = 0; i < exact.size(); i++) {
            assertThat(rounded.get(i)).isCloseTo(exact.get(i), within(most));
        }
        assertThat(rounded.equals(exact)).isEqualTo(dtype.equals("f32"));
    }

    /** Of the tokens of a prompt but the first. */
    private static List<Float> logprobs(String dtype) {
        SmallOptions options = new SmallOptions(MODEL);
        options.dtype = dtype;
        options.kvCacheBytes = 1 << 20;
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .maxTokens(1)
                .promptLogprobs(0)
                .build();
        Prompt prompt = new Prompt.Tokens(
                IntStream.range(0, 24).map(i -> i * 13 % 350).boxed().toList());
        List<Float> found = new ArrayList<>();
        try (LocalWorker worker = LocalWorker.open(options.get());
                Generation generation = worker.generate(new GenerationRequest("test", prompt, List.of(), params))) {
            generation.forEachRemaining(event -> {
                if (event instanceof PromptScored(List<Token> tokens)) {
                    tokens.stream().skip(1).map(Token::logprob).forEach(found::add);
                }
            });
        }
        return found;
    }

    /** In bits for a weight, blocks with their scales. */
    @ParameterizedTest
    @CsvSource({"auto, 32", "f32, 32", "f16, 16", "bf16, 16", "q8_0, 8.5", "q4_0, 4.5"})
    void takesTheMemoryOfTheTypeAsThePlanSays(String dtype, double bits) {
        try (ModelSource source = ModelSource.open(MODEL);
                Backend backend = new CpuBackend(1, Kernels.AUTO)) {
            TensorSource tensors = ConvertedSource.of(source.tensors(), WeightType.of(dtype));
            DecoderSpec spec = Architectures.spec(source.config());
            Decoder decoder = DecoderLoader.load(spec, tensors, backend, 1, 1);
            long weights = 0;
            long planned = 0;
            for (String name : tensors.names()) {
                TensorInfo info = tensors.info(name);
                if (info.rows() > 1) {
                    weights += (long) info.rows() * info.cols();
                    planned += backend.weightBytes(info.dtype(), info.rows(), info.cols());
                }
            }
            Stream<LinearSite> sites = Stream.concat(spec.linearSites().stream(), Stream.of(spec.embeddingSite()));
            assertThat(sites.mapToLong(site -> decoder.weight(site).bytes()).sum())
                    .isEqualTo(planned)
                    .isEqualTo((long) (weights * bits / 8));
        }
    }
}
