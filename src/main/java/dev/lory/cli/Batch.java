package dev.lory.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * An OpenAI batch file: a line in is {@code {"custom_id", "method", "url", "body"}}, a line out {@code {"id", "custom_id", "response",
 * "error"}}, in the order of the input. A request that is refused is a response with its status; a line that is no request is an error. Many
 * are under way at a time.
 */
final class Batch {
    private final Protocol protocol;
    private final int inFlight;
    private final Progress progress;
    private final Set<String> seen = new HashSet<>();
    private int lines;
    private int failures;

    /** Answers requests as the server would. */
    interface Protocol {
        /**
         * @param url the path, such as {@code /v1/chat/completions}
         * @param id for the answer and the log
         */
        Answer answer(String url, JsonNode body, String id);
    }

    /** A status, and the body a client would have got with it. */
    record Answer(int status, JsonNode body) {}

    /** A line that is no request; answered in place. */
    private static final class NoRequest extends Exception {
        private static final long serialVersionUID = 1L;

        NoRequest(String message) {
            super(message);
        }
    }

    /** @param inFlight requests at the same time at most */
    Batch(Protocol protocol, int inFlight, Progress progress) {
        this.protocol = protocol;
        this.inFlight = inFlight;
        this.progress = progress;
    }

    /**
     * Answers every line; blank ones are passed over.
     *
     * @return lines that did not get what they asked for
     */
    int run(Iterator<String> input, Writer output) throws IOException, InterruptedException {
        ArrayDeque<Future<ObjectNode>> underWay = new ArrayDeque<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            while (input.hasNext()) {
                String line = input.next();
                if (line.isBlank()) {
                    continue;
                }
                underWay.add(start(threads::submit, line, "batch_req_" + ++lines));
                if (underWay.size() >= inFlight || underWay.getFirst().isDone()) {
                    write(underWay.removeFirst(), output);
                }
            }
            while (!underWay.isEmpty()) {
                write(underWay.removeFirst(), output);
            }
        }
        return failures;
    }

    private interface Starter {
        Future<ObjectNode> start(java.util.concurrent.Callable<ObjectNode> work);
    }

    private Future<ObjectNode> start(Starter starter, String line, String id) {
        ObjectNode out = JsonNodeFactory.instance.objectNode().put("id", id).putNull("custom_id");
        try {
            JsonNode request = parse(line);
            String customId = text(request, "custom_id");
            out.put("custom_id", customId);
            if (!seen.add(customId)) {
                throw new NoRequest("custom_id `" + customId + "` is on an earlier line, too");
            }
            if (!text(request, "method").equals("POST")) {
                throw new NoRequest("method must be POST but is " + request.get("method"));
            }
            String url = text(request, "url");
            JsonNode body = body(request);
            return starter.start(() -> {
                Answer answer = protocol.answer(url, body, id);
                out.putObject("response")
                        .put("status_code", answer.status())
                        .put("request_id", id)
                        .set("body", answer.body());
                return out.putNull("error");
            });
        } catch (NoRequest e) {
            out.putNull("response");
            out.putObject("error").put("code", "invalid_request").put("message", e.getMessage());
            return CompletableFuture.completedFuture(out);
        }
    }

    private static JsonNode parse(String line) throws NoRequest {
        try {
            JsonNode request = JsonLines.JSON.readTree(line);
            if (!request.isObject()) {
                throw new NoRequest("a line must be a JSON object but is " + line.strip());
            }
            return request;
        } catch (JsonProcessingException e) {
            throw new NoRequest("the line is not JSON: " + e.getOriginalMessage());
        }
    }

    private static String text(JsonNode request, String field) throws NoRequest {
        JsonNode value = request.path(field);
        if (!value.isTextual()) {
            throw new NoRequest(field + " must be a string but is " + (value.isMissingNode() ? "missing" : value));
        }
        return value.textValue();
    }

    private static JsonNode body(JsonNode request) throws NoRequest {
        JsonNode body = request.path("body");
        if (!body.isObject()) {
            throw new NoRequest("body must be an object but is " + (body.isMissingNode() ? "missing" : body));
        }
        if (body.path("stream").asBoolean(false)) {
            throw new NoRequest("body.stream must not be true: the answer to a line of a batch is one object");
        }
        return body;
    }

    private void write(Future<ObjectNode> finished, Writer output) throws IOException, InterruptedException {
        try {
            ObjectNode line = finished.get();
            boolean success = line.path("error").isNull()
                    && line.path("response").path("status_code").asInt() < 400;
            failures += success ? 0 : 1;
            output.write(JsonLines.JSON.writeValueAsString(line));
            output.write('\n');
            output.flush();
            progress.advance(success);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a request of the batch could not be answered", e.getCause());
        }
    }
}
