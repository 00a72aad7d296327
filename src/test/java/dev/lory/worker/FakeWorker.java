package dev.lory.worker;

import dev.lory.adapter.AdapterReport;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.template.ChatInput;
import dev.lory.template.ChatTemplate;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.DesiredState.Residency;
import dev.lory.worker.GenerationEvent.Candidate;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Finished;
import dev.lory.worker.GenerationEvent.PromptScored;
import dev.lory.worker.GenerationEvent.Reason;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.worker.GenerationEvent.UsedAdapter;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.EngineStatus;
import dev.lory.worker.WorkerStatus.ModelInfo;
import dev.lory.worker.WorkerStatus.ResidencyStatus;
import dev.lory.worker.WorkerStatus.Tier;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A worker whose tokens are characters and that answers with the prompt: the last message's content, or the text. With adapters it puts
 * their names before it, {@code [math+biology] }. Any source is an adapter unless {@link #failLoading} said otherwise.
 */
public final class FakeWorker implements Worker {
    /** What requests call its model. */
    public static final String MODEL = "fake-model";

    /** The token that goes before a text. */
    public static final int BOS = 1;

    private static final ChatTemplate TEMPLATE =
            ChatTemplate.parse("{% for m in messages %}{% if m.content == 'refuse me' %}"
                    + "{{ raise_exception('This template refuses.') }}{% endif %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
                    + "{% if tools %}{{ tools | tojson }}\n{% endif %}{% if shout %}!{% endif %}"
                    + "{% if add_generation_prompt %}assistant:{% endif %}");

    private final Map<String, DesiredAdapter> adapters = new ConcurrentHashMap<>();
    private final Map<String, String> failures = new ConcurrentHashMap<>();
    private final Map<String, Integer> leases = new ConcurrentHashMap<>();
    private final Queue<List<GenerationEvent>> scripts = new ConcurrentLinkedQueue<>();
    private final Queue<GenerationRequest> requests = new ConcurrentLinkedQueue<>();
    private final Queue<EchoGeneration> closed = new ConcurrentLinkedQueue<>();
    private volatile long appliedRevision;
    private volatile Function<String, AdapterReport> check = FakeWorker::usable;

    /** From now on the adapter fails to load with this reason; an empty one heals it. */
    public void failLoading(String adapter, String reason) {
        if (reason.isEmpty()) {
            failures.remove(adapter);
        } else {
            failures.put(adapter, reason);
        }
    }

    /** Requests that are said to run with the adapter. */
    public void lease(String adapter, int count) {
        leases.put(adapter, count);
    }

    /** The next generation yields these instead of the echo. */
    public void script(List<GenerationEvent> events) {
        scripts.add(List.copyOf(events));
    }

    /** What was asked so far, oldest first. */
    public List<GenerationRequest> requests() {
        return List.copyOf(requests);
    }

    /** Generations that were closed before they had finished. */
    public int cancelled() {
        return (int)
                closed.stream().filter(generation -> !generation.finished()).count();
    }

    @Override
    public WorkerStatus status() {
        ModelInfo model = new ModelInfo(
                MODEL,
                "LlamaForCausalLM",
                "models/fake",
                "00".repeat(32),
                2048,
                0x110000,
                Stream.of("q_proj", "k_proj", "v_proj", "o_proj")
                        .flatMap(module ->
                                Stream.of(0, 1).map(layer -> "model.layers." + layer + ".self_attn." + module))
                        .sorted()
                        .toList());
        return new WorkerStatus(
                "fake",
                model,
                appliedRevision,
                adapters.values().stream().map(this::status).toList(),
                new ResidencyStatus(0, 0, 0, 0, 0, 0, 0, 0, Histogram.NONE, Histogram.NONE),
                new EngineStatus(0, 0, 0, 128, 16, 0, 0, 0, 0, 0, Histogram.NONE));
    }

    private AdapterStatus status(DesiredAdapter adapter) {
        String failure = failures.getOrDefault(adapter.name(), "");
        if (!failure.isEmpty()) {
            return new AdapterStatus(
                    adapter.name(),
                    adapter.source(),
                    AdapterStatus.State.FAILED,
                    failure,
                    "",
                    0,
                    0,
                    List.of(),
                    Tier.DISK,
                    false,
                    0,
                    0);
        }
        boolean unloaded = adapter.residency() == Residency.UNLOADED;
        int used = leases.getOrDefault(adapter.name(), 0);
        return new AdapterStatus(
                adapter.name(),
                adapter.source(),
                unloaded ? AdapterStatus.State.UNLOADED : AdapterStatus.State.READY,
                "",
                digest(adapter.name()),
                8,
                4096,
                List.of("q_proj", "v_proj"),
                unloaded && used == 0 ? Tier.DISK : Tier.DEVICE,
                adapter.residency() == Residency.PINNED,
                used,
                0);
    }

    private static String digest(String name) {
        return "%064x".formatted(name.hashCode() & 0xffffffffL);
    }

    @Override
    public Roofline roofline() {
        return Roofline.UNKNOWN;
    }

    @Override
    public List<XLoraStatus> xloras() {
        return List.of();
    }

    @Override
    public synchronized WorkerStatus apply(DesiredState desired) {
        if (desired.revision() >= appliedRevision) {
            adapters.clear();
            desired.adapters().forEach(adapter -> adapters.put(adapter.name(), adapter));
            appliedRevision = desired.revision();
        }
        return status();
    }

    /** What {@link #check} says unless told otherwise: nothing is wrong. */
    public static AdapterReport usable(String source) {
        return new AdapterReport(true, digest(source), List.of(), 8, List.of(), List.of());
    }

    /** What {@link #check} says from now on. */
    public void checkBy(Function<String, AdapterReport> check) {
        this.check = check;
    }

    @Override
    public AdapterReport check(String source) {
        return check.apply(source);
    }

    @Override
    public Generation generate(GenerationRequest request) {
        for (WeightedAdapter adapter : request.adapters()) {
            if (!adapters.containsKey(adapter.name()) || failures.containsKey(adapter.name())) {
                throw new ServiceException(
                        ErrorCode.ADAPTER_NOT_FOUND, "no adapter `" + adapter.name() + "` is loaded");
            }
        }
        requests.add(request);
        List<Integer> prompt = promptTokens(request.prompt());
        List<GenerationEvent> script = scripts.poll();
        return new EchoGeneration(prompt, script == null ? echo(request, prompt) : script);
    }

    private static List<Integer> promptTokens(Prompt prompt) {
        return switch (prompt) {
            case Prompt.Chat chat ->
                tokens(
                        chat.messages().isEmpty()
                                ? ""
                                : String.valueOf(chat.messages().getLast().getOrDefault("content", "")));
            case Prompt.Text text -> tokens(text.text());
            case Prompt.Tokens tokens -> tokens.ids();
        };
    }

    private static List<Integer> tokens(String text) {
        return text.codePoints().boxed().toList();
    }

    private List<GenerationEvent> echo(GenerationRequest request, List<Integer> prompt) {
        String names = String.join(
                "+", request.adapters().stream().map(WeightedAdapter::name).toList());
        List<Integer> answer = tokens(
                (names.isEmpty() ? "" : "[" + names + "] ") + vocabulary().decode(prompt));
        int limit = request.sampling().maxTokens().orElse(Integer.MAX_VALUE);
        Reason reason = answer.size() > limit ? Reason.LENGTH : Reason.STOP;
        List<GenerationEvent> events = new ArrayList<>();
        if (request.sampling().promptLogprobs().isPresent()) {
            int count = request.sampling().promptLogprobs().getAsInt();
            events.add(new PromptScored(
                    prompt.stream().map(id -> scored(id, count)).toList()));
        }
        List<Integer> kept = answer.subList(0, Math.min(limit, answer.size()));
        for (int id : kept) {
            Token token = request.sampling().logprobs().isPresent()
                    ? scored(id, request.sampling().logprobs().getAsInt())
                    : new Token(id, Float.NaN, List.of());
            events.add(new Delta(Character.toString(id), List.of(token)));
        }
        List<UsedAdapter> used = request.adapters().stream()
                .map(adapter -> new UsedAdapter(adapter.name(), digest(adapter.name()), adapter.weight()))
                .toList();
        events.add(new Finished(reason, new Usage(prompt.size(), kept.size(), 0), used));
        return events;
    }

    /** The token itself first, then the characters after it, each half as likely. */
    private static Token scored(int id, int count) {
        List<Candidate> top = new ArrayList<>();
        for (int rank = 0; rank < count; rank++) {
            top.add(new Candidate(id + rank, (float) ((rank + 1) * Math.log(0.5))));
        }
        return new Token(id, (float) Math.log(0.5), top);
    }

    @Override
    public Vocabulary vocabulary() {
        return new Vocabulary() {
            @Override
            public String text(int id) {
                return Character.toString(id);
            }

            @Override
            public byte[] bytes(int id) {
                return text(id).getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public String piece(int id) {
                return text(id).replace(' ', '▁');
            }

            @Override
            public List<Integer> encode(Prompt prompt, boolean addSpecialTokens) {
                List<Integer> ids = prompt instanceof Prompt.Chat chat ? tokens(render(chat)) : promptTokens(prompt);
                return addSpecialTokens
                        ? Stream.concat(Stream.of(BOS), ids.stream()).toList()
                        : ids;
            }

            @Override
            public String render(Prompt.Chat chat) {
                return TEMPLATE.render(ChatInput.of(chat.messages())
                        .withTools(chat.tools())
                        .withGenerationPrompt(chat.addGenerationPrompt())
                        .withVariables(chat.templateArguments()));
            }

            @Override
            public boolean isSpecial(int id) {
                return id == BOS;
            }

            @Override
            public String decode(List<Integer> ids) {
                StringBuilder text = new StringBuilder();
                ids.forEach(text::appendCodePoint);
                return text.toString();
            }
        };
    }

    @Override
    public void close() {
        adapters.clear();
    }

    private final class EchoGeneration implements Generation {
        private final List<Integer> prompt;
        private final Queue<GenerationEvent> events;
        private volatile boolean cancelled;
        private volatile int delivered;

        EchoGeneration(List<Integer> prompt, List<GenerationEvent> events) {
            this.prompt = List.copyOf(prompt);
            this.events = new ArrayDeque<>(events);
        }

        boolean finished() {
            return events.isEmpty();
        }

        @Override
        public List<Integer> promptTokenIds() {
            return prompt;
        }

        @Override
        public Usage usage() {
            return new Usage(prompt.size(), delivered, 0);
        }

        @Override
        public Duration queued() {
            return Duration.ZERO;
        }

        @Override
        public boolean hasNext() {
            return !cancelled && !events.isEmpty();
        }

        @Override
        public GenerationEvent next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            GenerationEvent event = events.remove();
            delivered += event instanceof Delta delta ? delta.tokens().size() : 0;
            return event;
        }

        @Override
        public void close() {
            cancelled = true;
            closed.add(this);
        }
    }
}
