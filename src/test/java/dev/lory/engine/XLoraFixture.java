package dev.lory.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.adapter.AdapterPolicy;
import dev.lory.adapter.AdapterSet;
import dev.lory.adapter.AdapterSlots;
import dev.lory.adapter.LoraDelta;
import dev.lory.adapter.LoraWeights;
import dev.lory.format.ModelSource;
import dev.lory.kernel.Backend;
import dev.lory.model.Decoder;
import dev.lory.model.DecoderLoader;
import dev.lory.model.DecoderSpec;
import dev.lory.model.LinearDelta;
import dev.lory.model.LinearSite;
import dev.lory.model.arch.Architectures;
import dev.lory.sampling.SamplingParams;
import dev.lory.xlora.ClassifierMemory;
import dev.lory.xlora.XLoraPackage;
import dev.lory.xlora.XLoraPolicy;
import dev.lory.xlora.XLoraRun;
import dev.lory.xlora.XLoraSettings;
import dev.lory.xlora.XLoraTally;
import dev.lory.xlora.XLoraWeights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One X-LoRA of the fixtures on a backend, and what the reference computed with it. */
final class XLoraFixture implements AutoCloseable {
    static final Path FOLDER = Path.of("src/test/resources/fixtures/xlora");

    private final Backend backend;
    private final Decoder decoder;
    private final LinearDelta delta;
    private final List<Integer> slots = new ArrayList<>();
    private final Path goldens;
    final XLoraWeights weights;
    final JsonNode golden;

    XLoraFixture(String name, Backend backend) throws IOException {
        this.backend = backend;
        Path folder = FOLDER.resolve(name);
        goldens = folder.resolve("golden.safetensors");
        golden = new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("golden.json")));
        try (ModelSource source =
                ModelSource.open(FOLDER.resolve(golden.get("base").asText()))) {
            DecoderSpec spec = Architectures.spec(source.config());
            decoder = DecoderLoader.load(spec, source.tensors(), backend, 512, 64);
            AdapterSlots adapters = new AdapterSlots(spec.embeddingSite().index() + 1);
            weights = new XLoraPackage(folder.resolve("package"), AdapterPolicy.DEFAULT, XLoraPolicy.DEFAULT)
                    .load(decoder, new ClassifierMemory(backend));
            for (LoraWeights expert : weights.experts()) {
                slots.add(adapters.put(expert));
            }
            delta = new LoraDelta(backend, adapters);
        }
    }

    Engine engine(EngineOptions options) {
        return new Engine(decoder, delta, options);
    }

    /** The prompts' token ids. */
    List<int[]> prompts() {
        List<int[]> prompts = new ArrayList<>();
        golden.get("prompts").forEach(prompt -> prompts.add(ModelFixture.ints(prompt)));
        return prompts;
    }

    int newTokens() {
        return golden.get("new_tokens").asInt();
    }

    /** @param mode {@code granular} or {@code non_granular_k} */
    Sequence sequence(int[] prompt, String mode, boolean scored, TokenSink sink) {
        int index = mode.equals("granular") ? 0 : Integer.parseInt(mode.substring(mode.lastIndexOf('_') + 1));
        XLoraSettings settings = weights.settings().nonGranular(index);
        XLoraRun run = XLoraRun.of(weights, slots, settings, new XLoraTally(weights), false);
        int length = prompt.length + newTokens();
        return new Sequence(prompt, length, run, params(scored), new int[0], 0, vocab(), sink);
    }

    /** With one expert as it is, or the base. */
    Sequence plain(int[] prompt, boolean adapted, TokenSink sink) {
        AdapterSet set = adapted
                ? AdapterSet.of(List.of(
                        new AdapterSet.Member(weights.experts().getFirst().digest(), slots.getFirst(), 1)))
                : AdapterSet.BASE;
        int length = prompt.length + newTokens();
        return new Sequence(prompt, length, set, params(false), new int[0], 0, vocab(), sink);
    }

    /** Greedy, with the log-probability of every token. */
    private SamplingParams params(boolean scored) {
        SamplingParams.Builder params =
                SamplingParams.builder().temperature(0).maxTokens(newTokens()).logprobs(-1);
        return scored ? params.promptLogprobs(0).build() : params.build();
    }

    /**
     * How far what the layers used for a token of a prompt is from what the reference says.
     *
     * @param tokens of the prompt
     */
    double distance(float[] gates, int prompt, int token, int tokens) throws IOException {
        float[] expected = scalings("scalings." + prompt);
        int experts = weights.experts().size();
        int places = expected.length / experts / tokens;
        double worst = 0;
        for (LinearSite site : decoder.spec().linearSites()) {
            int place = weights.classifier().place(site.index());
            for (int expert = 0; place >= 0 && expert < experts; expert++) {
                float actual = gates[weights.classifier().from(expert) + site.index()];
                worst = Math.max(worst, Math.abs(actual - expected[(token * places + place) * experts + expert]));
            }
        }
        return worst;
    }

    /** A tensor {@code [tokens, places, adapters]} of the goldens. */
    private float[] scalings(String name) throws IOException {
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(goldens)).order(ByteOrder.LITTLE_ENDIAN);
        int header = (int) file.getLong();
        JsonNode offsets = new ObjectMapper()
                .readTree(new String(file.array(), 8, header, StandardCharsets.UTF_8))
                .get(name)
                .get("data_offsets");
        float[] values = new float[(offsets.get(1).asInt() - offsets.get(0).asInt()) / 4];
        file.position(8 + header + offsets.get(0).asInt())
                .slice()
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(values);
        return values;
    }

    int vocab() {
        return decoder.spec().vocab();
    }

    @Override
    public void close() {
        backend.close();
    }
}
