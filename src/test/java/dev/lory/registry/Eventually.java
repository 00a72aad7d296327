package dev.lory.registry;

import java.util.concurrent.Callable;

/** Waits for what another thread does. */
public final class Eventually {
    private Eventually() {}

    /** Returns when {@code actual} is {@code wanted}; fails after 15 s. */
    public static <T> void is(Callable<T> actual, T wanted) throws Exception {
        long end = System.nanoTime() + 15_000_000_000L;
        for (T found = actual.call(); !wanted.equals(found); found = actual.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("after 15 s it is " + found + ", wanted " + wanted);
            }
            Thread.sleep(20);
        }
    }
}
