package dev.lory.api.openai;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.Prompt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The messages of a chat request, as the template wants them. */
final class ChatMessages {
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool", "function");

    private static final ObjectMapper JSON = new ObjectMapper();

    private ChatMessages() {}

    /**
     * @throws ServiceException {@code INVALID_REQUEST} naming the field; {@code UNSUPPORTED} for what would change the prompt in a way not
     *     offered
     */
    static Prompt.Chat prompt(Fields body) {
        refuseUnsupported(body);
        List<JsonNode> messages = body.list("messages");
        if (messages.isEmpty()) {
            throw invalid("messages", "messages must be an array of at least one message");
        }
        List<Map<String, @Nullable Object>> read = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            read.add(message(body.element(messages.get(i), "messages[" + i + "]"), messages.get(i)));
        }
        List<Map<String, @Nullable Object>> tools = new ArrayList<>();
        if (!body.get("tool_choice").map(JsonNode::asText).orElse("auto").equals("none")) {
            for (JsonNode tool : body.list("tools")) {
                tools.add(object(body.element(tool, "tools[" + tools.size() + "]"), tool));
            }
        }
        Map<String, @Nullable Object> arguments = body.get("chat_template_kwargs")
                .map(value -> object(body.element(value, "chat_template_kwargs"), value))
                .orElse(Map.of());
        return new Prompt.Chat(read, tools, arguments, body.flag("add_generation_prompt", true));
    }

    private static void refuseUnsupported(Fields body) {
        if (body.flag("continue_final_message") || body.get("chat_template").isPresent()) {
            String field = body.get("chat_template").isPresent() ? "chat_template" : "continue_final_message";
            throw new ServiceException(ErrorCode.UNSUPPORTED, field + " is not supported", Map.of("param", field));
        }
    }

    private static Map<String, @Nullable Object> message(Fields message, JsonNode node) {
        String role = message.text("role")
                .orElseThrow(() -> invalid(message.path("role"), message.path("role") + " is missing"));
        if (!ROLES.contains(role)) {
            throw invalid(
                    message.path("role"),
                    message.path("role") + " must be one of system, developer, user, assistant, tool but is " + role);
        }
        Map<String, @Nullable Object> read = object(message, withParsedArguments(node));
        // Templates know no developer: to the models they were written for, that is the system.
        read.put("role", role.equals("developer") ? "system" : role);
        boolean calls = message.get("tool_calls").isPresent();
        if (message.get("content").isEmpty() && !calls) {
            throw invalid(message.path("content"), message.path("content") + " is missing");
        }
        // To templates, an answer that only calls tools has the content none, whether the client wrote null or nothing.
        read.put(
                "content",
                message.get("content").map(content -> text(message, content)).orElse(null));
        return read;
    }

    /** Tool calls as templates want them: with arguments that are an object, where OpenAI has the JSON text of one. */
    private static JsonNode withParsedArguments(JsonNode message) {
        JsonNode copy = message.deepCopy();
        for (JsonNode call : copy.path("tool_calls")) {
            if (call.path("function") instanceof ObjectNode function
                    && function.path("arguments").isTextual()) {
                object(function.get("arguments").textValue()).ifPresent(parsed -> function.set("arguments", parsed));
            }
        }
        return copy;
    }

    /** Empty for text that is no JSON object: a model may have written anything. */
    private static Optional<JsonNode> object(String text) {
        try {
            return Optional.of(JSON.readTree(text)).filter(JsonNode::isObject);
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /** A string, or the parts of one. */
    private static String text(Fields message, JsonNode content) {
        if (content.isTextual()) {
            return content.textValue();
        }
        List<String> parts = new ArrayList<>();
        for (JsonNode part : message.list("content")) {
            Fields fields = message.element(part, "content[" + parts.size() + "]");
            String type = fields.text("type").orElse("");
            if (!type.equals("text")) {
                throw invalid(
                        fields.path("type"),
                        fields.path("type") + " must be text: the model reads nothing else, but it is `" + type + "`");
            }
            parts.add(fields.text("text")
                    .orElseThrow(() -> invalid(fields.path("text"), fields.path("text") + " is missing")));
        }
        return String.join("\n", parts);
    }

    /** The members of an object, without those that are null. */
    private static Map<String, @Nullable Object> object(Fields fields, JsonNode node) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        node.properties().forEach(entry -> {
            if (!entry.getValue().isNull()) {
                map.put(entry.getKey(), value(entry.getValue()));
            }
        });
        return map;
    }

    /** JSON as plain values; what is null inside a schema or an argument stays null. */
    private static @Nullable Object value(JsonNode node) {
        if (node.isNull()) {
            return null;
        }
        if (node.isTextual()) {
            return node.textValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isNumber()) {
            boolean whole = node.isIntegralNumber();
            return whole && node.canConvertToLong()
                    ? (Object) node.longValue()
                    : whole ? node.bigIntegerValue() : node.doubleValue();
        }
        if (node.isArray()) {
            List<@Nullable Object> list = new ArrayList<>();
            node.forEach(element -> list.add(value(element)));
            return list;
        }
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        node.properties().forEach(entry -> map.put(entry.getKey(), value(entry.getValue())));
        return map;
    }
}
