package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ServiceException;
import dev.lory.xlora.XLoraScalings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What an answer tells of an X-LoRA's scalings.
 *
 * @param texts of the tokens
 * @param promptTokens how many of them were asked; 0 = the answer does not tell
 * @param json all of it, as the answer has it
 */
record TracedAnswer(XLoraScalings scalings, List<String> texts, int promptTokens, String json) {
    /** NumPy's header takes a multiple of it. */
    private static final int NPY_ALIGNMENT = 64;

    private static final String DATA = "data: ";

    TracedAnswer {
        texts = List.copyOf(texts);
    }

    /**
     * @param answer of {@code /v1/chat/completions} or {@code /v1/completions}, also one that was streamed, or a line of {@code run-batch}
     * @throws ServiceException {@code INVALID_CONFIGURATION} if it does not tell of every token
     */
    static TracedAnswer of(String answer, int choice) {
        List<JsonNode> parts = parts(answer);
        int prompt = parts.stream()
                .mapToInt(part -> part.at("/usage/prompt_tokens").asInt())
                .max()
                .orElse(0);
        JsonNode told = parts.stream()
                .flatMap(part -> part.path("choices").valueStream())
                .filter(found -> found.path("index").asInt() == choice)
                .map(found -> found.path("adapter_scalings"))
                .filter(JsonNode::isObject)
                .findFirst()
                .orElseThrow(() -> refused("choice " + choice + " of the answer has no adapter_scalings; ask with"
                        + " \"adapter_scalings\": \"full\" and an X-LoRA as the model"));
        if (!told.has("scalings")) {
            throw refused("the answer has a summary only; ask with \"adapter_scalings\": \"full\"");
        }
        XLoraScalings scalings =
                new XLoraScalings(texts(told, "adapters"), texts(told, "sites"), values(told.path("scalings")));
        int wanted = scalings.adapters().size() * scalings.sites().size();
        if (wanted == 0 || scalings.values().stream().anyMatch(token -> token.length != wanted)) {
            throw refused("the answer's scalings are not [token]["
                    + scalings.sites().size() + " sites][" + scalings.adapters().size() + " adapters]");
        }
        return new TracedAnswer(scalings, texts(told, "texts"), prompt, told.toString());
    }

    private static List<JsonNode> parts(String answer) {
        String text = answer.strip();
        List<String> documents = text.startsWith(DATA)
                ? text.lines()
                        .filter(line -> line.startsWith(DATA + "{"))
                        .map(line -> line.substring(DATA.length()))
                        .toList()
                : List.of(text);
        List<JsonNode> parts = new ArrayList<>();
        for (String document : documents) {
            try {
                JsonNode part = JsonLines.JSON.readTree(document);
                parts.add(part.path("response").has("body") ? part.at("/response/body") : part);
            } catch (JsonProcessingException e) {
                throw refused("the answer is not JSON: " + e.getOriginalMessage());
            }
        }
        return parts;
    }

    private static ServiceException refused(String why) {
        return new ServiceException(INVALID_CONFIGURATION, why);
    }

    private static List<String> texts(JsonNode told, String field) {
        return told.path(field).valueStream().map(JsonNode::asText).toList();
    }

    private static List<float[]> values(JsonNode tokens) {
        List<float[]> values = new ArrayList<>();
        for (JsonNode token : tokens) {
            List<Float> all = token.valueStream()
                    .flatMap(JsonNode::valueStream)
                    .map(JsonNode::floatValue)
                    .toList();
            float[] flat = new float[all.size()];
            for (int i = 0; i < flat.length; i++) {
                flat[i] = all.get(i);
            }
            values.add(flat);
        }
        return values;
    }

    /** Version 1.0 of NumPy's format (numpy.lib.format): float32, little-endian, {@code [tokens, sites, adapters]}. */
    byte[] npy() {
        int tokens = scalings.values().size();
        int values = scalings.sites().size() * scalings.adapters().size();
        String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + tokens + ", "
                + scalings.sites().size() + ", " + scalings.adapters().size() + "), }";
        int prefix = 10; // magic, version, and the header's length
        int padding = NPY_ALIGNMENT - 1 - (prefix + header.length()) % NPY_ALIGNMENT;
        byte[] padded = (header + " ".repeat(padding) + "\n").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer file = ByteBuffer.allocate(prefix + padded.length + Float.BYTES * tokens * values)
                .order(ByteOrder.LITTLE_ENDIAN);
        file.put((byte) 0x93)
                .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
                .put((byte) 1)
                .put((byte) 0);
        file.putShort((short) padded.length).put(padded);
        for (float[] token : scalings.values()) {
            for (float value : token) {
                file.putFloat(value);
            }
        }
        return file.array();
    }
}
