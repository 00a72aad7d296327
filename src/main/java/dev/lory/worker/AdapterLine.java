package dev.lory.worker;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.ResidentAdapters.Patience;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;

/**
 * Those who need an adapter that is not on the device, one after another; first come, first served. Whoever waits is refused when the line has
 * not moved for too long, however long it is: it says that nothing becomes free, not that many ask.
 */
final class AdapterLine {
    private final Patience patience;
    private final Deque<Object> tickets = new ArrayDeque<>();
    private long moved;

    AdapterLine(Patience patience) {
        this.patience = patience;
    }

    /** Runs an action as the first in line. {@code OVERLOADED} or {@code UNAVAILABLE} if that cannot be. */
    <T> T first(Supplier<T> action) {
        Object ticket = new Object();
        enter(ticket);
        try {
            awaitTurn(ticket);
            return served(action);
        } finally {
            leave(ticket);
        }
    }

    private <T> T served(Supplier<T> action) {
        long began = System.nanoTime();
        try {
            return action.get();
        } finally {
            // Who failed for another reason than that nothing became free has moved the line, too.
            if (System.nanoTime() - began < patience.line().toNanos()) {
                move();
            }
        }
    }

    private synchronized void enter(Object ticket) {
        if (tickets.size() > patience.maxWaiting()) {
            throw new ServiceException(
                    ErrorCode.OVERLOADED,
                    patience.maxWaiting() + " requests wait for adapters already; try again later");
        }
        if (tickets.isEmpty()) {
            move();
        }
        tickets.addLast(ticket);
    }

    private synchronized void move() {
        moved = System.nanoTime();
    }

    private synchronized void awaitTurn(Object ticket) {
        try {
            while (tickets.getFirst() != ticket) {
                long left = patience.line().toNanos() - (System.nanoTime() - moved);
                if (left <= 0) {
                    throw noRoom();
                }
                wait(left / 1_000_000 + 1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceException(ErrorCode.UNAVAILABLE, "the service is stopping");
        }
    }

    private synchronized void leave(Object ticket) {
        tickets.remove(ticket);
        notifyAll();
    }

    ServiceException noRoom() {
        return new ServiceException(
                ErrorCode.UNAVAILABLE,
                "no room for another adapter became free within "
                        + patience.line().toSeconds() + " s; try again later");
    }
}
