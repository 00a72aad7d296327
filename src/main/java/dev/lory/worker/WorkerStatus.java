package dev.lory.worker;

import java.util.List;

/**
 * What a worker has and does.
 *
 * @param backend device and kernels in words
 * @param appliedRevision of the last {@link DesiredState}; 0 = none yet
 */
public record WorkerStatus(
        String backend, ModelInfo model, long appliedRevision, List<AdapterStatus> adapters, EngineStatus engine) {
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
     * @param digest SHA-256 of its content in hex; empty until READY, as are the figures
     * @param leases requests that run with it
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
            int leases) {
        public AdapterStatus {
            targetModules = List.copyOf(targetModules);
        }

        /** Of an adapter on this worker. */
        public enum State {
            LOADING,
            READY,
            FAILED
        }
    }

    /**
     * Counters since start where they end in Total, otherwise now.
     *
     * @param kvUsage used share of the KV blocks, 0 to 1; blocks kept for reuse only count as free
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
            long stepsTotal) {}
}
