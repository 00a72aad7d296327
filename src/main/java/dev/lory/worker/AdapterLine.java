package dev.lory.worker;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.ResidentAdapters.Patience;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** Those who need an adapter that is not on the device, one after another. */
final class AdapterLine {
    private final ReentrantLock lock = new ReentrantLock(true);
    private final Patience patience;

    AdapterLine(Patience patience) {
        this.patience = patience;
    }

    /** Runs an action as the first in line; first come, first served. {@code OVERLOADED} or {@code UNAVAILABLE} if that takes too long. */
    <T> T first(Supplier<T> action) {
        if (lock.getQueueLength() >= patience.maxWaiting()) {
            throw new ServiceException(
                    ErrorCode.OVERLOADED,
                    patience.maxWaiting() + " requests wait for adapters already; try again later");
        }
        try {
            if (!lock.tryLock(patience.line().toNanos(), TimeUnit.NANOSECONDS)) {
                throw noRoom();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceException(ErrorCode.UNAVAILABLE, "the service is stopping");
        }
        try {
            return action.get();
        } finally {
            lock.unlock();
        }
    }

    ServiceException noRoom() {
        return new ServiceException(
                ErrorCode.UNAVAILABLE,
                "no room for another adapter became free within "
                        + patience.line().toSeconds() + " s; try again later");
    }
}
