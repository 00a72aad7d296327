package dev.lory.api.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.worker.GenerationEvent.Candidate;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.Vocabulary;
import java.util.List;

/** Log-probabilities in the forms of the two endpoints, and vLLM's for prompts. */
final class Logprobs {
    private final Vocabulary vocabulary;
    private final boolean asIds;

    /** @param asIds tokens as {@code token_id:123} */
    Logprobs(Vocabulary vocabulary, boolean asIds) {
        this.vocabulary = vocabulary;
        this.asIds = asIds;
    }

    /** What answers call a token. */
    String name(int id) {
        return asIds ? "token_id:" + id : vocabulary.text(id);
    }

    /** {@code {"content": [{token, logprob, bytes, top_logprobs}]}}. */
    ObjectNode chat(List<Token> tokens) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        ArrayNode content = node.putArray("content");
        for (Token token : tokens) {
            ObjectNode entry = candidate(content.addObject(), token.id(), token.logprob());
            ArrayNode top = entry.putArray("top_logprobs");
            token.top().forEach(other -> candidate(top.addObject(), other.id(), other.logprob()));
        }
        node.putNull("refusal");
        return node;
    }

    private ObjectNode candidate(ObjectNode node, int id, float logprob) {
        node.put("token", name(id)).put("logprob", finite(logprob));
        ArrayNode bytes = node.putArray("bytes");
        for (byte b : vocabulary.bytes(id)) {
            bytes.add(b & 0xFF);
        }
        return node;
    }

    /**
     * {@code {text_offset, token_logprobs, tokens, top_logprobs}}.
     *
     * @param offset characters of text before the first token
     */
    ObjectNode completion(List<Token> tokens, int offset) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        ArrayNode offsets = node.putArray("text_offset");
        ArrayNode logprobs = node.putArray("token_logprobs");
        ArrayNode names = node.putArray("tokens");
        ArrayNode tops = node.putArray("top_logprobs");
        int at = offset;
        for (Token token : tokens) {
            offsets.add(at);
            at += vocabulary.text(token.id()).length();
            names.add(name(token.id()));
            if (Float.isNaN(token.logprob())) {
                logprobs.addNull();
                tops.addNull();
            } else {
                logprobs.add(finite(token.logprob()));
                ObjectNode top = tops.addObject();
                // Several tokens may have one text, such as parts of characters: the likeliest is the one that counts.
                token.top().reversed().forEach(other -> top.put(name(other.id()), finite(other.logprob())));
                top.put(name(token.id()), finite(token.logprob()));
            }
        }
        return node;
    }

    /** vLLM's {@code prompt_logprobs}: null for the first token, then {@code {id: {logprob, rank, decoded_token}}} for each. */
    ArrayNode prompt(List<Token> tokens) {
        ArrayNode node = JsonNodeFactory.instance.arrayNode();
        for (Token token : tokens) {
            if (Float.isNaN(token.logprob())) {
                node.addNull();
                continue;
            }
            ObjectNode entry = node.addObject();
            vllm(entry, token.id(), token.logprob());
            for (int i = 0; i < token.top().size(); i++) {
                Candidate other = token.top().get(i);
                vllm(entry, other.id(), other.logprob()).put("rank", i + 1);
            }
        }
        return node;
    }

    private ObjectNode vllm(ObjectNode entry, int id, float logprob) {
        return entry.putObject(Integer.toString(id))
                .put("logprob", finite(logprob))
                .put("decoded_token", name(id));
    }

    /** JSON has no infinity; vLLM writes the same. */
    private static float finite(float logprob) {
        return Math.max(logprob, -9999);
    }
}
