package dev.lory.ordering;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.Finding;
import java.io.IOException;
import java.util.List;

/** Reads JSON into a tree and reports every key that stands twice; Jackson itself stops at the first or keeps the last. */
final class JsonTree {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonFactory FACTORY = MAPPER.getFactory();

    private final List<Finding> findings;

    private JsonTree(List<Finding> findings) {
        this.findings = findings;
    }

    /** @throws IOException if it is not one JSON value */
    static JsonNode read(byte[] content, List<Finding> findings) throws IOException {
        try (JsonParser parser = FACTORY.createParser(content)) {
            if (parser.nextToken() == null) {
                return JsonNodeFactory.instance.missingNode();
            }
            JsonNode root = new JsonTree(findings).value(parser, "");
            if (parser.nextToken() != null) {
                throw new IOException("there is more after the JSON value");
            }
            return root;
        }
    }

    /** {@code layers["a.b"]}, {@code preload_adapters[0].name}. */
    static String child(String path, String key) {
        boolean plain = key.chars().allMatch(c -> Character.isLetterOrDigit(c) || c == '_');
        if (!plain) {
            return path + "[\"" + key + "\"]";
        }
        return path.isEmpty() ? key : path + "." + key;
    }

    static String child(String path, int index) {
        return path + "[" + index + "]";
    }

    private JsonNode value(JsonParser parser, String path) throws IOException {
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            return object(parser, path);
        }
        if (parser.currentToken() == JsonToken.START_ARRAY) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                array.add(value(parser, child(path, array.size())));
            }
            return array;
        }
        return MAPPER.readTree(parser);
    }

    private ObjectNode object(JsonParser parser, String path) throws IOException {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            parser.nextToken();
            String at = child(path, key);
            if (object.has(key)) {
                findings.add(Finding.error(at, "the key `" + key + "` stands twice"));
            }
            object.set(key, value(parser, at));
        }
        return object;
    }
}
