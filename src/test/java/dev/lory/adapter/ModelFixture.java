package dev.lory.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.error.ServiceException;
import dev.lory.format.ModelSource;
import dev.lory.format.SafetensorsSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.StepBatch;
import dev.lory.model.Decoder;
import dev.lory.model.DecoderLoader;
import dev.lory.model.DecoderSpec;
import dev.lory.model.arch.Architectures;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A model of {@code fixtures/models} with its adapters and golden outputs, run step by step without an engine. */
final class ModelFixture implements AutoCloseable {
    private static final Path MODELS = Path.of("src/test/resources/fixtures/models");
    private static final int MAX_ROWS = 1024;
    private static final int BLOCK = 16;

    /** What one prompt gave: logits {@code [tokens][vocab]} at the prompt, and the greedy continuation. */
    static final class Output {
        final List<float[]> logits = new ArrayList<>();
        final List<Integer> greedy = new ArrayList<>();
    }

    private static final class Sequence {
        final int[] prompt;
        final AdapterSet adapters;
        final int[] blocks;
        final Output output = new Output();
        int computed;

        Sequence(int[] prompt, AdapterSet adapters, int[] blocks) {
            this.prompt = prompt;
            this.adapters = adapters;
            this.blocks = blocks;
        }

        int token(int position) {
            return position < prompt.length ? prompt[position] : output.greedy.get(position - prompt.length);
        }

        int length() {
            return prompt.length + output.greedy.size();
        }
    }

    final JsonNode golden;
    private final Path folder;
    private final Backend backend;
    private final DecoderSpec spec;
    private final Decoder decoder;
    private final AdapterSlots slots;
    private final LoraDelta delta;
    private final Map<String, AdapterSet.Member> members = new HashMap<>();
    private final List<LoraWeights> loaded = new ArrayList<>();

    ModelFixture(String name, Backend backend) {
        this(MODELS.resolve(name), MODELS.resolve(name).resolve("base"), "golden", backend);
    }

    /**
     * @param folder of the adapters and of the golden outputs
     * @param base a folder or a GGUF file
     * @param goldens what the golden outputs are called
     */
    ModelFixture(Path folder, Path base, String goldens, Backend backend) {
        this.backend = backend;
        this.folder = folder;
        golden = json(folder.resolve(goldens + ".json"));
        try (ModelSource source = ModelSource.open(base)) {
            spec = Architectures.spec(source.config());
            decoder = DecoderLoader.load(spec, source.tensors(), backend, MAX_ROWS, 64);
        }
        slots = new AdapterSlots(spec.embeddingSite().index() + 1);
        delta = new LoraDelta(backend, slots);
    }

    /** Every model there is, in alphabetical order. */
    static List<String> names() {
        try (Stream<Path> folders = Files.list(MODELS)) {
            return folders.filter(folder -> Files.exists(folder.resolve("golden.json")))
                    .map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<String> cases(String name) {
        List<String> cases = new ArrayList<>();
        json(MODELS.resolve(name).resolve("golden.json"))
                .get("cases")
                .fieldNames()
                .forEachRemaining(cases::add);
        return cases;
    }

    /** @throws ServiceException the refusal of one of its adapters, or of their combination */
    AdapterSet adapters(String name) {
        List<AdapterSet.Member> set = new ArrayList<>();
        for (JsonNode adapter : golden.get("cases").get(name).get("adapters")) {
            AdapterSet.Member member = member(adapter.get("name").asText());
            set.add(new AdapterSet.Member(
                    member.digest(), member.slot(), adapter.get("weight").floatValue()));
        }
        return AdapterSet.of(set);
    }

    private AdapterSet.Member member(String name) {
        AdapterSet.Member member = members.get(name);
        if (member == null) {
            LoraWeights weights = LoraWeights.load(folder.resolve("adapters").resolve(name), decoder, backend);
            loaded.add(weights);
            member = new AdapterSet.Member(weights.digest(), slots.put(weights), 1);
            members.put(name, member);
        }
        return member;
    }

    List<int[]> prompts() {
        return StreamSupport.stream(golden.get("prompts").spliterator(), false)
                .map(ModelFixture::ids)
                .toList();
    }

    /** The largest difference that is rounding. */
    double tolerance() {
        return golden.get("tolerance").asDouble();
    }

    /** What transformers and PEFT give: all rows of the prompt whose logits are kept in full, the last of the others. */
    List<float[]> expectedLogits(String name, int prompt) {
        try (SafetensorsSource source = SafetensorsSource.open(folder.resolve("golden.safetensors"))) {
            Tensor logits = source.tensor(name + ".logits." + prompt);
            return IntStream.range(0, logits.rows()).mapToObj(logits::row).toList();
        }
    }

    List<Integer> expectedGreedy(String name, int prompt) {
        return IntStream.of(ids(golden.get("cases").get(name).get("greedy").get(prompt)))
                .boxed()
                .toList();
    }

    /** How close the nearest decision of the greedy continuation was. */
    double margin(String name, int prompt) {
        return golden.get("cases")
                .get(name)
                .get("smallest_top2_margin_per_prompt")
                .get(prompt)
                .asDouble();
    }

    /** Continues each prompt with its adapters, all in the same steps. */
    List<Output> run(List<int[]> prompts, List<AdapterSet> adapters) {
        int tokens = golden.path("new_tokens").asInt(16);
        List<Sequence> sequences = new ArrayList<>();
        int blocks = 0;
        for (int i = 0; i < prompts.size(); i++) {
            int count = Math.ceilDiv(prompts.get(i).length + tokens, BLOCK);
            int[] table = IntStream.range(blocks, blocks + count).toArray();
            sequences.add(new Sequence(prompts.get(i), adapters.get(i), table));
            blocks += count;
        }
        KvCache kv = decoder.allocateKv(blocks, BLOCK);
        StepBatch batch = new StepBatch(MAX_ROWS);
        for (int i = 0; i < tokens; i++) {
            step(sequences, batch, kv);
        }
        return sequences.stream().map(sequence -> sequence.output).toList();
    }

    private void step(List<Sequence> sequences, StepBatch batch, KvCache kv) {
        batch.clear();
        for (Sequence sequence : sequences) {
            batch.sequence(sequence.blocks, decoder.rotation(sequence.length()));
            for (int p = sequence.computed; p < sequence.length(); p++) {
                batch.add(sequence.token(p), p, sequence.blocks[p / BLOCK] * BLOCK + p % BLOCK);
            }
        }
        group(sequences, batch);
        Tensor hidden = decoder.hidden(batch, kv, delta);
        for (int s = 0; s < sequences.size(); s++) {
            Sequence sequence = sequences.get(s);
            int[] rows = IntStream.range(batch.start(s), batch.start(s + 1)).toArray();
            Tensor logits = decoder.logits(hidden, batch, delta, rows, rows.length);
            float[] row = new float[spec.vocab()];
            for (int r = 0; r < rows.length; r++) {
                decoder.download(logits, r, row);
                if (sequence.output.greedy.isEmpty()) {
                    sequence.output.logits.add(row.clone());
                }
            }
            sequence.computed = sequence.length();
            sequence.output.greedy.add(argmax(row));
        }
    }

    /** Slots rise, as in the engine. */
    private static void group(List<Sequence> sequences, StepBatch batch) {
        Map<Integer, Map<Integer, Float>> bySlot = new TreeMap<>();
        for (int s = 0; s < sequences.size(); s++) {
            for (AdapterSet.Member member : sequences.get(s).adapters.members()) {
                for (int row = batch.start(s); row < batch.start(s + 1); row++) {
                    bySlot.computeIfAbsent(member.slot(), slot -> new TreeMap<>(Comparator.naturalOrder()))
                            .put(row, member.weight());
                }
            }
        }
        bySlot.forEach((slot, rows) -> {
            batch.adapters().group(slot);
            rows.forEach(batch.adapters()::add);
        });
    }

    private static int argmax(float[] row) {
        return IntStream.range(0, row.length).reduce(0, (best, i) -> row[i] > row[best] ? i : best);
    }

    private static int[] ids(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }

    private static JsonNode json(Path file) {
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        loaded.forEach(LoraWeights::close);
        backend.close();
    }
}
