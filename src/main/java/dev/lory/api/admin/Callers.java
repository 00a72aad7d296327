package dev.lory.api.admin;

import jakarta.ws.rs.core.SecurityContext;
import java.security.Principal;

/** Who is behind a request, for the record. */
final class Callers {
    private Callers() {}

    static String name(SecurityContext context) {
        Principal principal = context.getUserPrincipal();
        return principal == null || principal.getName().isEmpty() ? "anonymous" : principal.getName();
    }
}
