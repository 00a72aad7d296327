package dev.lory.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.api.ApiKeys;
import dev.lory.api.metrics.RequestMetrics;
import dev.lory.api.quota.Quotas;
import dev.lory.error.ServiceException;
import dev.lory.registry.Activation;
import dev.lory.registry.ActivationService;
import dev.lory.registry.Alias;
import dev.lory.registry.AliasService;
import dev.lory.registry.UsageLedger;
import dev.lory.registry.WorkerDirectory;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Finished;
import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.Worker;
import io.vertx.core.http.HttpServerResponse;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** Answers a request of either endpoint over HTTP, in one piece or as a stream. */
@ApplicationScoped
public class Responder {
    private static final Logger LOG = Logger.getLogger(Responder.class);
    private static final Duration SILENCE = Duration.ofSeconds(15);

    private final WorkerDirectory workers;
    private final ActivationService activations;
    private final AliasService aliases;
    private final RequestMetrics metrics;
    private final Quotas quotas;
    private final UsageLedger ledger;
    private final int maxLogprobs;

    Responder(
            WorkerDirectory workers,
            ActivationService activations,
            AliasService aliases,
            RequestMetrics metrics,
            Quotas quotas,
            UsageLedger ledger,
            @ConfigProperty(name = "lory.max-logprobs", defaultValue = "20") int maxLogprobs) {
        this.workers = workers;
        this.activations = activations;
        this.aliases = aliases;
        this.metrics = metrics;
        this.quotas = quotas;
        this.ledger = ledger;
        this.maxLogprobs = maxLogprobs;
    }

    /**
     * Answers a request.
     *
     * @param tenant who asks, see {@link ApiKeys#tenant}
     * @throws ServiceException before the first byte; afterwards an error is an event of the stream
     */
    public void respond(Dialect dialect, byte[] body, String tenant, HttpServerResponse response) {
        JsonNode json = Bodies.json(body);
        Worker worker = workers.route();
        Activation activation = activations.current();
        response.putHeader("x-adapter-revision", Long.toString(activation.revision()));
        Served served =
                Served.of(worker.status(), activation.adapters(), maxLogprobs).with(aliases.current());
        OpenAiRequest request =
                dialect.read(json, served, UUID.randomUUID().toString().replace("-", ""));
        served.alias(request.model()).ifPresent(alias -> response.putHeader("x-lory-alias", label(alias)));
        List<String> adapters = request.choices().getFirst().adapters().stream()
                .map(WeightedAdapter::name)
                .toList();
        try (Quotas.Admission admission =
                quotas.admit(tenant, adapters, most(request, body.length), response::putHeader)) {
            Usage usage = generate(request, dialect.answers(request, worker.vocabulary()), worker, response);
            admission.used((long) usage.promptTokens() + usage.completionTokens());
            if (!tenant.equals(ApiKeys.SELF)) {
                ledger.add(tenant, adapters, usage);
            }
        }
    }

    /** The tokens that a request may take, about: a prompt has one for each four bytes, and who says no max_tokens is taken to mean few. */
    private static long most(OpenAiRequest request, int bytes) {
        return bytes / 4
                + request.choices().stream()
                        .mapToLong(choice -> choice.sampling().maxTokens().orElse(0))
                        .sum();
    }

    /** @return what it took, also if the client left */
    private Usage generate(OpenAiRequest request, AnswerForm form, Worker worker, HttpServerResponse response) {
        try (Generations generations = new Generations(worker, request.choices())) {
            // The client may leave while the engine is silent: then nobody would notice by writing.
            response.closeHandler(gone -> generations.close());
            response.exceptionHandler(broken -> generations.close());
            try {
                if (request.shape().stream()) {
                    stream(form, generations, response);
                } else {
                    whole(form, generations, response);
                }
                metrics.finished(
                        worker.status().model().name(),
                        request.choices().getFirst().adapters(),
                        generations.choices().stream()
                                .flatMap(choice -> choice.end().stream())
                                .map(Finished::usage)
                                .toList(),
                        generations.times());
            } catch (IOException e) {
                LOG.debugf("request=%s the client left: %s", request.id(), e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return Choice.total(generations.choices(), request.choicesPerPrompt());
        }
    }

    /** A name may have characters that a header may not. */
    private static String label(Alias alias) {
        return URLEncoder.encode(alias.name(), StandardCharsets.UTF_8).replace("+", "%20") + "@" + alias.revision();
    }

    private static void whole(AnswerForm form, Generations generations, HttpServerResponse response)
            throws IOException, InterruptedException {
        ObjectNode answer = OpenAiAnswers.answer(form, generations);
        if (response.closed()) {
            throw new IOException("the connection is closed");
        }
        response.putHeader("Content-Type", "application/json");
        EventStream.await(response.end(answer.toString()));
    }

    private static void stream(AnswerForm form, Generations generations, HttpServerResponse response)
            throws IOException, InterruptedException {
        EventStream events = new EventStream(response);
        try {
            for (Choice choice : generations.choices()) {
                for (ObjectNode chunk : form.opening(choice)) {
                    events.send(chunk);
                }
            }
            while (generations.isOpen() && !response.closed()) {
                Optional<Generations.Progress> progress = generations.next(SILENCE);
                if (progress.isEmpty()) {
                    events.keepAlive();
                } else {
                    send(form, events, progress.get());
                }
            }
            for (ObjectNode chunk : form.closing(generations.choices())) {
                events.send(chunk);
            }
        } catch (ServiceException e) {
            events.send(form.failure(e));
            EventStream.await(response.end());
            return;
        }
        events.done(form.endsWithDone());
    }

    private static void send(AnswerForm form, EventStream events, Generations.Progress progress)
            throws IOException, InterruptedException {
        if (progress.event() instanceof Delta delta) {
            for (ObjectNode chunk : form.piece(progress.choice(), delta)) {
                events.send(chunk);
            }
        } else if (progress.event() instanceof Finished) {
            events.send(form.ending(progress.choice()));
        }
    }
}
