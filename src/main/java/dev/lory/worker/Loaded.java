package dev.lory.worker;

import dev.lory.adapter.AdapterSet;
import dev.lory.adapter.LoraWeights;
import dev.lory.xlora.XLoraWeights;
import java.util.List;

/** What was read from an adapter's folder, and is on the device. */
sealed interface Loaded {
    /** Of its content, in hex. */
    String digest();

    /** The largest of any module. */
    int rank();

    /** Bytes it takes on the device. */
    long bytes();

    /** Last parts of the paths of the modules it changes. */
    List<String> targetModules();

    /** Each has a slot of its own. */
    List<LoraWeights> parts();

    /** For what it can only run alone and with weight 1; empty if it can be summed. */
    String exclusive();

    /** Gives the memory back. */
    void close();

    /** One adapter. */
    record Lora(LoraWeights weights) implements Loaded {
        @Override
        public String digest() {
            return weights.digest();
        }

        @Override
        public int rank() {
            return weights.rank();
        }

        @Override
        public long bytes() {
            return weights.bytes();
        }

        @Override
        public List<String> targetModules() {
            return weights.targetModules();
        }

        @Override
        public List<LoraWeights> parts() {
            return List.of(weights);
        }

        @Override
        public String exclusive() {
            return weights.exclusive().isEmpty() ? "" : "its configuration has " + weights.exclusive();
        }

        @Override
        public void close() {
            weights.close();
        }

        AdapterSet.Member member(Resident resident, float weight) {
            return new AdapterSet.Member(digest(), resident.slots.getFirst(), weight);
        }
    }

    /** Several, and what mixes them. */
    record XLora(XLoraWeights weights) implements Loaded {
        @Override
        public String digest() {
            return weights.digest();
        }

        @Override
        public int rank() {
            return weights.rank();
        }

        @Override
        public long bytes() {
            return weights.bytes();
        }

        @Override
        public List<String> targetModules() {
            return weights.experts().getFirst().targetModules();
        }

        @Override
        public List<LoraWeights> parts() {
            return weights.experts();
        }

        @Override
        public String exclusive() {
            return "it is an X-LoRA, which weighs its own adapters";
        }

        @Override
        public void close() {
            weights.close();
        }
    }
}
