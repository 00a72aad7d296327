package dev.lory.api.metrics;

import dev.lory.worker.Histogram;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.EngineStatus;
import dev.lory.worker.WorkerStatus.ResidencyStatus;
import dev.lory.worker.WorkerStatus.Tier;
import dev.lory.worker.XLoraStatus;
import dev.lory.xlora.XLoraStatistics;
import dev.lory.xlora.XLoraStatistics.OfAdapter;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * One status of the worker as metrics. What vLLM has is under its name and label, so that its dashboards and the routers of the Kubernetes
 * gateway read it (Gateway API Inference Extension, proposal 003, model-server protocol); the rest begins with {@code lory_}.
 */
final class WorkerMetrics {
    private final Exposition out = new Exposition();
    private final WorkerStatus status;
    private final Map<String, String> model;

    private WorkerMetrics(WorkerStatus status) {
        this.status = status;
        this.model = Map.of("model_name", status.model().name());
    }

    /** @param seconds of the clock, since 1970; must not fall from one text to the next */
    static String text(WorkerStatus status, List<XLoraStatus> xloras, double seconds) {
        WorkerMetrics metrics = new WorkerMetrics(status);
        metrics.engine();
        metrics.routing(seconds);
        metrics.adapters();
        metrics.xloras(xloras);
        return metrics.out.toString();
    }

    private void engine() {
        EngineStatus engine = status.engine();
        gauge("vllm:num_requests_running", "Sequences that are being computed.", engine.running());
        gauge(
                "vllm:num_requests_waiting",
                "Sequences that wait, also those that wait for an adapter.",
                engine.waiting() + status.residency().waiting());
        gauge("vllm:kv_cache_usage_perc", "Share of the KV blocks in use, 0 to 1.", engine.kvUsage());
        counter("vllm:prompt_tokens_total", "Tokens of prompts.", engine.promptTokensTotal());
        counter("vllm:generation_tokens_total", "Tokens generated.", engine.generatedTokensTotal());
        counter("vllm:num_preemptions_total", "Sequences that gave their blocks back.", engine.preemptionsTotal());
        counter("vllm:prefix_cache_queries_total", "Tokens looked up in the cache.", engine.promptTokensTotal());
        counter("vllm:prefix_cache_hits_total", "Tokens that were there.", engine.cachedTokensTotal());
        counter("lory_engine_steps_total", "Steps of the engine.", engine.stepsTotal());
        out.histogram("lory_engine_step_adapters", "Adapters that a step computed with.", engine.stepAdapters());
        Map<String, String> cache = new LinkedHashMap<>();
        cache.put("block_size", Integer.toString(engine.kvBlockSize()));
        cache.put("num_gpu_blocks", Integer.toString(engine.kvBlocks()));
        out.single("vllm:cache_config_info", "gauge", "The KV cache.", cache, 1);
    }

    /** What a router needs to send a request where its adapter is: idle ones that are there count as running, as the protocol wants it. */
    private void routing(double seconds) {
        Map<String, String> requests = new LinkedHashMap<>();
        requests.put("max_lora", Integer.toString(slots()));
        requests.put("running_lora_adapters", names(WorkerMetrics::isThere));
        requests.put("waiting_lora_adapters", names(adapter -> !isThere(adapter) && adapter.waiting() > 0));
        out.single(
                "vllm:lora_requests_info",
                "gauge",
                "Adapters that are there and such that requests wait for; the value is the time in seconds.",
                requests,
                seconds);
        out.family("vllm:lora_adapter_loaded", "gauge", "1 for each adapter that is there.");
        for (AdapterStatus adapter : sorted(WorkerMetrics::isThere)) {
            Map<String, String> labels = new LinkedHashMap<>();
            labels.put("adapter_name", adapter.name());
            labels.put("level", "gpu");
            labels.put("pinned", Boolean.toString(adapter.pinned()));
            out.sample("vllm:lora_adapter_loaded", labels, 1);
        }
        gauge(
                "vllm:num_gpu_loaded_lora_adapters",
                "Adapters that are there.",
                sorted(WorkerMetrics::isThere).size());
        gauge("vllm:num_cpu_loaded_lora_adapters", "None: the next place is the disk.", 0);
        gauge("vllm:max_gpu_lora_adapters", "Adapters that can be there at the same time.", slots());
    }

    private void adapters() {
        ResidencyStatus residency = status.residency();
        out.family("lory_adapters", "gauge", "Registered adapters by state.");
        for (AdapterStatus.State state : AdapterStatus.State.values()) {
            out.sample(
                    "lory_adapters",
                    Map.of("state", state.name()),
                    sorted(adapter -> adapter.state() == state).size());
        }
        gauge("lory_adapter_resident_bytes", "Bytes that adapters take on the device.", residency.bytes());
        counter("lory_adapter_hits_total", "Requests whose adapters were there.", residency.hits());
        counter("lory_adapter_misses_total", "Requests that waited for an adapter.", residency.misses());
        counter("lory_adapter_evictions_total", "Adapters that went for another.", residency.evictions());
        out.histogram("vllm:lora_adapter_load_seconds", "Reading an adapter from disk.", residency.loads());
        out.histogram(
                "lory_adapter_wait_seconds",
                "Requests that waited for an adapter, until it was there or they gave up.",
                residency.waits());
    }

    private void xloras(List<XLoraStatus> xloras) {
        out.family(
                "lory_xlora_scaling", "histogram", "What adapters of X-LoRAs counted, of each token at each linear.");
        for (XLoraStatus xlora : xloras) {
            for (OfAdapter adapter : xlora.statistics().adapters()) {
                Map<String, String> labels = new LinkedHashMap<>();
                labels.put("xlora", xlora.name());
                labels.put("adapter", adapter.name());
                long count =
                        adapter.histogram().stream().mapToLong(Long::longValue).sum();
                out.histogram(
                        "lory_xlora_scaling",
                        labels,
                        new Histogram(XLoraStatistics.BOUNDS, adapter.histogram(), adapter.mean() * count));
            }
        }
    }

    private void gauge(String name, String help, double value) {
        out.single(name, "gauge", help, model, value);
    }

    private void counter(String name, String help, double value) {
        out.single(name, "counter", help, model, value);
    }

    private static boolean isThere(AdapterStatus adapter) {
        return adapter.state() == AdapterStatus.State.READY && adapter.tier() == Tier.DEVICE;
    }

    private List<AdapterStatus> sorted(Predicate<AdapterStatus> wanted) {
        return status.adapters().stream()
                .filter(wanted)
                .sorted(Comparator.comparing(AdapterStatus::name))
                .toList();
    }

    private String names(Predicate<AdapterStatus> wanted) {
        return sorted(wanted).stream().map(AdapterStatus::name).collect(Collectors.joining(","));
    }

    /** Without a limit of their number: as many as fit by their bytes, if all were as large as the largest known. */
    private int slots() {
        ResidencyStatus residency = status.residency();
        if (residency.maxLoras() > 0) {
            return residency.maxLoras();
        }
        long largest =
                status.adapters().stream().mapToLong(AdapterStatus::bytes).max().orElse(0);
        long fit =
                residency.maxBytes() == 0 || largest == 0 ? status.adapters().size() : residency.maxBytes() / largest;
        return (int) Math.max(residency.loras(), Math.min(fit, Integer.MAX_VALUE));
    }
}
