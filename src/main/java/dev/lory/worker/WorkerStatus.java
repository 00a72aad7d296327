package dev.lory.worker;

import java.util.List;

/**
 * What a worker has and does.
 *
 * @param backend device and kernels in words
 * @param appliedRevision of the last {@link DesiredState}; 0 = none yet
 */
public record WorkerStatus(
        String backend,
        ModelInfo model,
        long appliedRevision,
        List<AdapterStatus> adapters,
        ResidencyStatus residency,
        EngineStatus engine) {
    public WorkerStatus {
        adapters = List.copyOf(adapters);
    }

    /**
     * @param name what requests call the base model
     * @param architecture such as {@code LlamaForCausalLM}
     * @param digest SHA-256 of the weights' names, types, shapes and sizes, in hex
     * @param maxModelLen tokens of prompt and output together
     * @param linearSites every linear an adapter may change, as PEFT spells its path, in definition order
     */
    public record ModelInfo(
            String name,
            String architecture,
            String source,
            String digest,
            int maxModelLen,
            int vocabSize,
            List<String> linearSites) {
        public ModelInfo {
            linearSites = List.copyOf(linearSites);
        }
    }

    /**
     * One wanted adapter.
     *
     * @param reason why it FAILED; empty otherwise
     * @param digest SHA-256 of its content in hex; empty until it was loaded once, as are the figures
     * @param bytes it takes on the device when it is there
     * @param pinned whether it is never evicted
     * @param leases requests that run with it
     * @param waiting requests that wait for it to come to the device
     */
    public record AdapterStatus(
            String name,
            String source,
            State state,
            String reason,
            String digest,
            int rank,
            long bytes,
            List<String> targetModules,
            Tier tier,
            boolean pinned,
            int leases,
            int waiting) {
        public AdapterStatus {
            targetModules = List.copyOf(targetModules);
        }

        /** Of an adapter on this worker. */
        public enum State {
            /** Not looked at yet. */
            LOADING,
            /** Requests may name it. */
            READY,
            /** Known, and not to be used. */
            UNLOADED,
            /** Could not be loaded. */
            FAILED
        }
    }

    /** Where an adapter's weights are. */
    public enum Tier {
        /** In a slot. */
        DEVICE,
        /** In their file; a request that names it waits until they are read. */
        DISK
    }

    /**
     * What adapters take of the device, and counters since start.
     *
     * @param maxLoras 0 = any number
     * @param maxBytes 0 = any
     * @param loras on the device
     * @param waiting requests that wait for adapters to be there
     * @param hits requests whose adapters were all there
     * @param misses requests that waited for one
     * @param evictions adapters that went for another
     * @param loads reads from disk, in seconds
     * @param waits of requests for an adapter that was not there, until it was or they gave up, in seconds
     */
    public record ResidencyStatus(
            int maxLoras,
            long maxBytes,
            int loras,
            long bytes,
            int waiting,
            long hits,
            long misses,
            long evictions,
            Histogram loads,
            Histogram waits) {}

    /**
     * Counters since start where they end in Total, otherwise now.
     *
     * @param kvUsage used share of the KV blocks, 0 to 1; blocks kept for reuse only count as free
     * @param stepAdapters how many adapters the steps had
     */
    public record EngineStatus(
            int running,
            int waiting,
            double kvUsage,
            int kvBlocks,
            int kvBlockSize,
            long promptTokensTotal,
            long cachedTokensTotal,
            long generatedTokensTotal,
            long preemptionsTotal,
            long stepsTotal,
            Histogram stepAdapters) {}
}
