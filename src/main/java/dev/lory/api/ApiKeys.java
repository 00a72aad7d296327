package dev.lory.api;

import dev.lory.api.openai.OpenAiPaths;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import jakarta.ws.rs.container.ContainerRequestContext;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * The keys of the API, where they are configured: one for generating, one for administration; with only the first, that one does both.
 */
class ApiKeys {
    private final String apiKey;
    private final String adminKey;

    ApiKeys(
            @ConfigProperty(name = "lory.api-key") Optional<String> apiKey,
            @ConfigProperty(name = "lory.admin-key") Optional<String> adminKey) {
        this.apiKey = apiKey.orElse("").strip();
        this.adminKey = adminKey.orElse("").strip();
    }

    @ServerRequestFilter
    void check(ContainerRequestContext request) {
        String path = request.getUriInfo().getPath();
        boolean administers = path.startsWith("/api/") || path.startsWith("/activate_adapters");
        if (!administers && !OpenAiPaths.contains(path)) {
            return;
        }
        String wanted = administers && !adminKey.isEmpty() ? adminKey : apiKey;
        if (!wanted.isEmpty() && given(request).noneMatch(key -> equal(key, wanted))) {
            throw new ServiceException(
                    ErrorCode.UNAUTHENTICATED,
                    "this service wants its " + (wanted.equals(apiKey) ? "API" : "admin")
                            + " key: send it as `Authorization: Bearer KEY`");
        }
    }

    private static Stream<String> given(ContainerRequestContext request) {
        String bearer = request.getHeaderString("Authorization");
        return Stream.of(
                        Optional.ofNullable(bearer)
                                .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
                                .map(value -> value.substring(7).strip()),
                        Optional.ofNullable(request.getHeaderString("api-key")),
                        Optional.ofNullable(request.getHeaderString("x-api-key")))
                .flatMap(Optional::stream);
    }

    /** In a time that does not tell how much of a key was right. */
    private static boolean equal(String key, String wanted) {
        return MessageDigest.isEqual(key.getBytes(StandardCharsets.UTF_8), wanted.getBytes(StandardCharsets.UTF_8));
    }
}
