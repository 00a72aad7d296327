package dev.lory.kernel.cpu;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Memory for what every step reads from end to end. On Linux it lies in pages of 2 MB, from which two threads read twice as much in a second
 * as from those of 4 KB. Small weights share a slab, which goes back to the system with the last of them. Any thread may call.
 */
final class WeightMemory {
    private static final long PAGE = 2L << 20;
    private static final long SLAB = 2 * PAGE;
    private static final int ALIGNMENT = 64;
    private static final int READ_WRITE = 3;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final int HUGE_PAGES = 14;

    /** A mapping, and how many areas lie in it. */
    private static final class Slab {
        final long mapping;
        final long mapped;
        final long address;
        long used;
        int areas;

        Slab(long bytes) {
            mapped = (bytes + PAGE - 1) / PAGE * PAGE + PAGE;
            mapping = Linux.map(mapped);
            address = (mapping + PAGE - 1) / PAGE * PAGE;
            // Not the last part of a page: the system would commit all of it.
            Linux.advise(address, bytes / PAGE * PAGE);
        }
    }

    private @Nullable Slab current;

    /**
     * Memory that starts at a multiple of 64; kernels may load one vector beyond the end.
     *
     * @throws ServiceException {@code UNAVAILABLE} if there is none
     */
    synchronized Memory.Area allocate(long bytes) {
        if (!Linux.IS_IT) {
            return Memory.allocate(bytes);
        }
        long needed = (bytes + 2 * ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        Slab slab = current;
        if (needed > SLAB / 2) {
            slab = new Slab(needed);
        } else if (slab == null || slab.used + needed > SLAB) {
            slab = new Slab(SLAB);
            current = slab;
        }
        Slab home = slab;
        long address = home.address + home.used;
        home.used += needed;
        home.areas++;
        return new Memory.Area(address, bytes, () -> release(home));
    }

    private synchronized void release(Slab slab) {
        if (--slab.areas == 0) {
            Linux.unmap(slab.mapping, slab.mapped);
            if (slab == current) {
                current = null;
            }
        }
    }

    /** The calls of Linux. */
    private static final class Linux {
        static final boolean IS_IT =
                System.getProperty("os.name").toLowerCase(Locale.ROOT).equals("linux");
        private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
        private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
        private static final MethodHandle MMAP =
                Memory.function("mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG));
        private static final MethodHandle MUNMAP = Memory.function("munmap", FunctionDescriptor.of(INT, LONG, LONG));
        private static final MethodHandle MADVISE =
                Memory.function("madvise", FunctionDescriptor.of(INT, LONG, LONG, INT));

        static long map(long bytes) {
            try {
                long address = (long) MMAP.invokeExact(0L, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
                if (address == -1) {
                    throw new ServiceException(ErrorCode.UNAVAILABLE, "there is no memory for " + bytes + " bytes");
                }
                return address;
            } catch (ServiceException e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /** What is refused stays in small pages. */
        static void advise(long address, long bytes) {
            try {
                int ignored = (int) MADVISE.invokeExact(address, bytes, HUGE_PAGES);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        static void unmap(long address, long bytes) {
            try {
                int ignored = (int) MUNMAP.invokeExact(address, bytes);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
