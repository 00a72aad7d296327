package dev.lory.kernel.planted;

import dev.lory.worker.Worker;
import jakarta.enterprise.context.ApplicationScoped;
import java.lang.foreign.Linker;
import java.sql.Connection;

/** Breaks the house rules on purpose, so that a test can see them bite. */
@ApplicationScoped
public class ImportsUpwards {
    Worker above() {
        throw new UnsupportedOperationException();
    }

    Linker nativeCalls() {
        return Linker.nativeLinker();
    }

    Connection database() {
        throw new UnsupportedOperationException();
    }
}
