package dev.lory.api;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.SecurityContext;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.Principal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * The keys of the API, where they are configured: for generating, one for each tenant; for administration, one; with only the first of these, that
 * one does both. Who is asked for no key is the tenant {@value #DEFAULT_TENANT}.
 */
@ApplicationScoped
public class ApiKeys {
    /** Whoever has no name of his own. */
    public static final String DEFAULT_TENANT = "default";

    /** The service itself, when it rehearses. */
    public static final String SELF = "lory";

    private final String apiKey;
    private final String adminKey;
    private final Map<String, String> tenants;
    private final String ownKey = UUID.randomUUID().toString();

    ApiKeys(KeysConfig config) {
        apiKey = config.apiKey().orElse("").strip();
        adminKey = config.adminKey().orElse("").strip();
        tenants = new HashMap<>(config.apiKeys());
        if (!apiKey.isEmpty()) {
            tenants.putIfAbsent(DEFAULT_TENANT, apiKey);
        }
    }

    /** With which the service asks itself. */
    String ownKey() {
        return ownKey;
    }

    /** Who asks. */
    public static String tenant(SecurityContext caller) {
        Principal principal = caller.getUserPrincipal();
        return principal == null || principal.getName().isEmpty() ? DEFAULT_TENANT : principal.getName();
    }

    @ServerRequestFilter
    void check(ContainerRequestContext request) {
        List<String> given = given(request).toList();
        switch (ApiPath.of(request.getUriInfo().getPath()).key()) {
            case ADMIN -> checkAdmin(given);
            case TENANT -> checkTenant(given, request);
            case NONE -> {
                // whoever asks
            }
        }
    }

    private void checkAdmin(List<String> given) {
        String wanted = adminKey.isEmpty() ? apiKey : adminKey;
        boolean open = wanted.isEmpty() && tenants.isEmpty();
        if (!open && (wanted.isEmpty() || given.stream().noneMatch(key -> equal(key, wanted)))) {
            throw refused(wanted.equals(apiKey) && !apiKey.isEmpty() ? "API" : "admin");
        }
    }

    private void checkTenant(List<String> given, ContainerRequestContext request) {
        Optional<String> tenant = given.stream()
                .flatMap(key -> Stream.concat(
                        tenants.entrySet().stream()
                                .filter(entry -> equal(key, entry.getValue().strip()))
                                .map(Map.Entry::getKey),
                        Stream.of(SELF).filter(self -> equal(key, ownKey))))
                .findFirst();
        if (tenant.isEmpty() && !tenants.isEmpty()) {
            throw refused("API");
        }
        tenant.ifPresent(name -> request.setSecurityContext(new Caller(() -> name, request.getSecurityContext())));
    }

    private static ServiceException refused(String kind) {
        return new ServiceException(
                ErrorCode.UNAUTHENTICATED,
                "this service wants its " + kind + " key: send it as `Authorization: Bearer KEY`");
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

    /** Somebody whose key is known. */
    private record Caller(Principal principal, SecurityContext before) implements SecurityContext {
        @Override
        public Principal getUserPrincipal() {
            return principal;
        }

        @Override
        public boolean isUserInRole(String role) {
            return before.isUserInRole(role);
        }

        @Override
        public boolean isSecure() {
            return before.isSecure();
        }

        @Override
        public String getAuthenticationScheme() {
            return "Bearer";
        }
    }
}
