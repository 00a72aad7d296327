package dev.lory.api.openai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lory.api.ErrorMapper;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;

/** JSON bodies of requests. */
public final class Bodies {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Bodies() {}

    /** @throws ServiceException {@code INVALID_REQUEST} naming the place where the body is no JSON */
    public static JsonNode json(byte[] body) {
        try {
            return JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw ErrorMapper.explained(e);
        } catch (IOException e) {
            throw new ServiceException(ErrorCode.INVALID_REQUEST, "the body cannot be read", e);
        }
    }

    /** The fields of an object; as {@link #json}, also if it is none. */
    public static Fields fields(byte[] body) {
        return new Fields(json(body));
    }
}
