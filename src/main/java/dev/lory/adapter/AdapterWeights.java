package dev.lory.adapter;

import java.util.List;

/** What one name stands for, on its device: an adapter, or several with something that mixes them. */
public interface AdapterWeights extends AutoCloseable {
    /** SHA-256 of its content, in hex. */
    String digest();

    /** The largest of any module. */
    int rank();

    /** Bytes it takes on the device. */
    long bytes();

    /** Last parts of the paths of the modules it changes. */
    List<String> targetModules();

    /** Why it can only run alone and with weight 1; empty if it can be summed. */
    String aloneBecause();

    /** Each has a slot of its own. */
    List<LoraWeights> parts();

    /** Gives the memory back; no step that uses it may be under way. */
    @Override
    void close();
}
