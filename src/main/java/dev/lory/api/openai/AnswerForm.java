package dev.lory.api.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ServiceException;
import dev.lory.worker.GenerationEvent.Delta;
import java.util.List;

/** Writes the answers to one request: in one piece, or as the events of a stream. */
public interface AnswerForm {
    /** The answer in one piece, when all choices have ended. */
    ObjectNode whole(List<Choice> choices);

    /** What a stream begins with. */
    default List<ObjectNode> opening(Choice choice) {
        return List.of();
    }

    /** New text, which the choice has taken already; empty if there is nothing a client would see. */
    List<ObjectNode> piece(Choice choice, Delta delta);

    /** The end of a choice. */
    ObjectNode ending(Choice choice);

    /** The last events of a stream. */
    default List<ObjectNode> closing(List<Choice> choices) {
        return List.of();
    }

    /** An error after a stream has begun; nothing follows. */
    ObjectNode failure(ServiceException error);

    /** Whether {@code [DONE]} is the end of a stream. */
    default boolean endsWithDone() {
        return false;
    }
}
