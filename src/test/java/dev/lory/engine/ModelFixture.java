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
import dev.lory.kernel.KvCache;
import dev.lory.kernel.StepBatch;
import dev.lory.model.Decoder;
import dev.lory.model.DecoderLoader;
import dev.lory.model.DecoderSpec;
import dev.lory.model.LinearDelta;
import dev.lory.model.arch.Architectures;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/** One model of the fixtures on a backend: its adapters, and what transformers and PEFT computed with them. */
final class ModelFixture implements AutoCloseable {
    private static final int MAX_ROWS = 192;
    private static final int BLOCK = 16;

    private final Path goldenTensors;
    private final Backend backend;
    private final Decoder decoder;
    private final LinearDelta delta;
    private final KvCache kv;
    private final StepBatch batch = new StepBatch(MAX_ROWS);
    private final Map<String, Member> adapters = new HashMap<>();
    final JsonNode golden;

    ModelFixture(Path folder, Backend backend) throws IOException {
        this(folder.resolve("base"), folder.resolve("adapters"), folder.resolve("golden"), backend);
    }

    /**
     * @param adapterFolder a folder for each, if it is there
     * @param goldens the path of the golden files, without {@code .json} and {@code .safetensors}
     */
    ModelFixture(Path model, Path adapterFolder, Path goldens, Backend backend) throws IOException {
        this.goldenTensors = Path.of(goldens + ".safetensors");
        this.backend = backend;
        golden = new ObjectMapper().readTree(Files.readAllBytes(Path.of(goldens + ".json")));
        try (ModelSource source = ModelSource.open(model)) {
            DecoderSpec spec = Architectures.spec(source.config());
            decoder = DecoderLoader.load(spec, source.tensors(), backend, MAX_ROWS, 8);
            AdapterSlots slots = new AdapterSlots(spec.embeddingSite().index() + 1);
            if (Files.isDirectory(adapterFolder)) {
                try (var folders = Files.list(adapterFolder)) {
                    for (Path adapter :
                            folders.filter(Files::isDirectory).sorted().toList()) {
                        LoraWeights weights = new PeftFolder(adapter, AdapterPolicy.DEFAULT).load(decoder, backend);
                        adapters.put(
                                String.valueOf(adapter.getFileName()),
                                new Member(weights.digest(), slots.put(weights), 1));
                    }
                }
            }
            delta = new LoraDelta(backend, slots);
            kv = decoder.allocateKv(MAX_ROWS / BLOCK, BLOCK);
        }
    }

    Decoder decoder() {
        return decoder;
    }

    LinearDelta delta() {
        return delta;
    }

    int[] prompt(int i) {
        return ints(golden.get("prompts").get(i));
    }

    static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }

    List<String> cases() {
        List<String> cases = new ArrayList<>();
        golden.get("cases").fieldNames().forEachRemaining(cases::add);
        return cases;
    }

    AdapterSet set(String name) {
        List<Member> members = new ArrayList<>();
        for (JsonNode adapter : golden.get("cases").get(name).get("adapters")) {
            Member member =
                    Objects.requireNonNull(adapters.get(adapter.get("name").asText()));
            members.add(new Member(member.digest(), member.slot(), (float)
                    adapter.get("weight").asDouble()));
        }
        return AdapterSet.of(members);
    }

    /** Logits after each of the last {@code last} tokens, computed all at once and without a cache of earlier ones. */
    float[][] logits(int[] tokens, AdapterSet set, int last) {
        return logits(tokens, set, last, decoder.rotation(tokens.length));
    }

    /** As {@link #logits(int[], AdapterSet, int)} with given rotary angles. */
    float[][] logits(int[] tokens, AdapterSet set, int last, int rotation) {
        batch.clear();
        add(tokens, 0, rotation);
        group(List.of(set));
        Tensor hidden = decoder.hidden(batch, kv, delta);
        float[][] logits = new float[last][];
        for (int i = 0; i < last; i++) {
            logits[i] = download(hidden, new int[] {tokens.length - last + i})[0];
        }
        return logits;
    }

    /** Logits after the last token of each sequence, computed side by side. */
    float[][] together(List<int[]> sequences, List<AdapterSet> sets) {
        batch.clear();
        int block = 0;
        int[] rows = new int[sequences.size()];
        for (int s = 0; s < rows.length; s++) {
            add(sequences.get(s), block, decoder.rotation(sequences.get(s).length));
            block += Math.ceilDiv(sequences.get(s).length, BLOCK);
            rows[s] = batch.rows() - 1;
        }
        group(sets);
        return download(decoder.hidden(batch, kv, delta), rows);
    }

    private void add(int[] tokens, int firstBlock, int rotation) {
        batch.sequence(
                IntStream.range(firstBlock, firstBlock + Math.ceilDiv(tokens.length, BLOCK))
                        .toArray(),
                rotation);
        for (int p = 0; p < tokens.length; p++) {
            batch.add(tokens[p], p, firstBlock * BLOCK + p);
        }
    }

    private void group(List<AdapterSet> sets) {
        for (int slot = 0; slot < adapters.size(); slot++) {
            boolean open = false;
            for (int s = 0; s < sets.size(); s++) {
                for (Member member : sets.get(s).members()) {
                    if (member.slot() == slot) {
                        if (!open) {
                            batch.adapters().group(slot);
                            open = true;
                        }
                        for (int row = batch.start(s); row < batch.start(s + 1); row++) {
                            batch.adapters().add(row, member.weight());
                        }
                    }
                }
            }
        }
    }

    private float[][] download(Tensor hidden, int[] rows) {
        Tensor logits = decoder.logits(hidden, batch, delta, rows, rows.length);
        float[][] values = new float[rows.length][decoder.spec().vocab()];
        for (int i = 0; i < rows.length; i++) {
            decoder.download(logits, i, values[i]);
        }
        return values;
    }

    Path goldenTensors() {
        return goldenTensors;
    }

    @Override
    public void close() {
        backend.close();
    }
}
