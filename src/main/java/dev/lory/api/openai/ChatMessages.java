package dev.lory.api.openai;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.Prompt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The messages of a chat request, as the template wants them. */
final class ChatMessages {
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool", "function");

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
        List<Map<String, Object>> read = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            read.add(message(body.element(messages.get(i), "messages[" + i + "]"), messages.get(i)));
        }
        List<Map<String, Object>> tools = new ArrayList<>();
        if (!body.get("tool_choice").map(JsonNode::asText).orElse("auto").equals("none")) {
            for (JsonNode tool : body.list("tools")) {
                tools.add(object(body.element(tool, "tools[" + tools.size() + "]"), tool));
            }
        }
        Map<String, Object> arguments = body.get("chat_template_kwargs")
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

    private static Map<String, Object> message(Fields message, JsonNode node) {
        String role = message.text("role")
                .orElseThrow(() -> invalid(message.path("role"), message.path("role") + " is missing"));
        if (!ROLES.contains(role)) {
            throw invalid(
                    message.path("role"),
                    message.path("role") + " must be one of system, developer, user, assistant, tool but is " + role);
        }
        Map<String, Object> read = object(message, node);
        // Templates know no developer: to the models they were written for, that is the system.
        read.put("role", role.equals("developer") ? "system" : role);
        boolean calls = message.get("tool_calls").isPresent();
        if (message.get("content").isEmpty() && !calls) {
            throw invalid(message.path("content"), message.path("content") + " is missing");
        }
        message.get("content").ifPresent(content -> read.put("content", text(message, content)));
        return read;
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

    private static Map<String, Object> object(Fields fields, JsonNode node) {
        Map<String, Object> map = new LinkedHashMap<>();
        node.properties().forEach(entry -> {
            if (!entry.getValue().isNull()) {
                map.put(entry.getKey(), value(entry.getValue()));
            }
        });
        return map;
    }

    /** JSON as plain values; null members are left out. */
    private static Object value(JsonNode node) {
        if (node.isTextual()) {
            return node.textValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isNumber()) {
            return node.isIntegralNumber() ? (Object) node.longValue() : node.doubleValue();
        }
        if (node.isArray()) {
            List<Object> list = new ArrayList<>();
            node.forEach(element -> list.add(value(element)));
            return list;
        }
        Map<String, Object> map = new LinkedHashMap<>();
        node.properties().forEach(entry -> {
            if (!entry.getValue().isNull()) {
                map.put(entry.getKey(), value(entry.getValue()));
            }
        });
        return map;
    }
}
