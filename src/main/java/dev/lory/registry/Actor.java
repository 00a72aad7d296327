package dev.lory.registry;

/**
 * Who asks for a change.
 *
 * @param trusted may name folders outside the adapters root, and replace the source of an adapter
 */
public record Actor(String name, boolean trusted) {
    /** Whoever started the service. */
    static final Actor CONFIGURATION = new Actor("configuration", true);

    /** A caller of the API. */
    public static Actor client(String name) {
        return new Actor(name, false);
    }
}
