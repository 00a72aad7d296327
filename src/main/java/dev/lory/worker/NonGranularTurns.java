package dev.lory.worker;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.xlora.XLoraSettings;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** How many sequences with a non-granular index may be there at the same time; who comes later waits. mistral.rs allows one. */
final class NonGranularTurns {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final int max;
    private final Semaphore free;

    /** @param max 0 = any number */
    NonGranularTurns(int max) {
        this.max = max;
        this.free = new Semaphore(max, true);
    }

    /**
     * Waits for a turn, if these settings need one.
     *
     * @return gives it back, once
     * @throws ServiceException {@code OVERLOADED} if there is none for too long
     */
    Runnable take(XLoraSettings settings) {
        if (max == 0 || settings.nonGranularIndex() == 0) {
            return () -> {};
        }
        try {
            if (!free.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new ServiceException(
                        ErrorCode.OVERLOADED,
                        max + " sequences with a non-granular index are running, as many as --max-non-granular-seqs"
                                + " allows; try again later");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceException(ErrorCode.UNAVAILABLE, "the service is stopping");
        }
        AtomicBoolean mine = new AtomicBoolean(true);
        return () -> {
            if (mine.getAndSet(false)) {
                free.release();
            }
        };
    }
}
