package dev.lory.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.adapter.AdapterPolicy;
import dev.lory.adapter.AdapterSet;
import dev.lory.adapter.AdapterSet.Member;
import dev.lory.adapter.AdapterSlots;
import dev.lory.adapter.LoraDelta;
import dev.lory.adapter.LoraWeights;
import dev.lory.adapter.PeftFolder;
import dev.lory.format.ModelSource;
import dev.lory.kernel.Backend;
import dev.lory.model.Decoder;
import dev.lory.model.DecoderLoader;
import dev.lory.model.DecoderSpec;
import dev.lory.model.arch.Architectures;
import dev.lory.sampling.SamplingParams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The demo model with its three adapters on an engine, and the reference outputs for them. */
final class DemoModel implements AutoCloseable {
    static final int END = 2;
    private static final List<String> ADAPTERS = List.of("math", "reasoning", "biology");

    private final Backend backend;
    final Engine engine;
    final DecoderSpec spec;
    private final Map<String, Member> members = new LinkedHashMap<>();

    DemoModel(Backend backend, EngineOptions options) {
        this.backend = backend;
        try (ModelSource source = ModelSource.open(Path.of("models/smollm2-135m-instruct"))) {
            spec = Architectures.spec(source.config());
            Decoder decoder = DecoderLoader.load(spec, source.tensors(), backend, options.maxNumBatchedTokens(), 64);
            AdapterSlots slots = new AdapterSlots(spec.embeddingSite().index() + 1);
            for (String name : ADAPTERS) {
                LoraWeights weights =
                        new PeftFolder(Path.of("models/adapters", name), AdapterPolicy.DEFAULT).load(decoder, backend);
                members.put(name, new Member(weights.digest(), slots.put(weights), 1));
            }
            engine = new Engine(decoder, new LoraDelta(backend, slots), options);
        }
    }

    /** A set of adapters with weights. */
    AdapterSet set(Map<String, Float> weights) {
        List<Member> set = new ArrayList<>();
        weights.forEach((name, weight) -> {
            Member member = members.get(name);
            if (member == null) {
                throw new IllegalArgumentException(name);
            }
            set.add(new Member(member.digest(), member.slot(), weight));
        });
        return AdapterSet.of(set);
    }

    /** The set of a mode of golden.json. */
    AdapterSet mode(String mode) {
        return switch (mode) {
            case "base" -> AdapterSet.BASE;
            case "sum" -> set(Map.of("math", 1f, "reasoning", 1f, "biology", 1f));
            default -> set(Map.of(mode, 1f));
        };
    }

    RecordingSink start(int[] prompt, AdapterSet set, SamplingParams params) {
        RecordingSink sink = new RecordingSink();
        engine.submit(sequence(prompt, set, params, sink));
        return sink;
    }

    Sequence sequence(int[] prompt, AdapterSet set, SamplingParams params, TokenSink sink) {
        int[] ends = params.ignoreEos() ? new int[0] : new int[] {END};
        int max = prompt.length + params.maxTokens().orElseThrow();
        return new Sequence(prompt, max, set, params, ends, 1, spec.vocab(), sink);
    }

    static JsonNode golden() {
        try {
            return new ObjectMapper()
                    .readTree(Files.readAllBytes(Path.of("integration-tests/resources/demo/golden.json")));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static int[] ids(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }

    @Override
    public void close() {
        engine.close();
        backend.close();
    }
}
