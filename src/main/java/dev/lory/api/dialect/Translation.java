package dev.lory.api.dialect;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.api.openai.Fields;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.util.Map;
import java.util.function.Predicate;

/** Puts the fields of a dialect into a completion as {@link dev.lory.api.openai.OpenAiRequest} reads it. */
final class Translation {
    private final Fields from;
    private final ObjectNode to = JsonNodeFactory.instance.objectNode();

    Translation(Fields from) {
        this.from = from;
    }

    ObjectNode result() {
        return to;
    }

    /** A field under its own name. */
    Translation same(String... names) {
        for (String name : names) {
            renamed(name, name);
        }
        return this;
    }

    /** A field under another name, if it is there. */
    Translation renamed(String name, String wanted) {
        from.get(name).ifPresent(value -> to.set(wanted, value));
        return this;
    }

    /** What is meant where a field is absent. */
    Translation orElse(String wanted, double value) {
        if (!to.has(wanted)) {
            to.put(wanted, value);
        }
        return this;
    }

    /** Refuses a field that would change the answer and is not offered, unless its value means nothing. */
    Translation refused(String name, Predicate<JsonNode> meansNothing) {
        from.get(name).filter(meansNothing.negate()).ifPresent(value -> {
            throw new ServiceException(
                    ErrorCode.UNSUPPORTED, from.path(name) + " is not offered", Map.of("param", from.path(name)));
        });
        return this;
    }
}
