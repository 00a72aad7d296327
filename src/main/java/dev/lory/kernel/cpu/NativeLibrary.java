package dev.lory.kernel.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Finds the library that src/main/native/build.sh made, and the kernels in it that this processor can run. Looked for once. */
final class NativeLibrary {
    /** The outcome: usable kernels, best first, or none and why. */
    record Found(List<NativeKernels> kernels, String reason) {
        Found {
            kernels = List.copyOf(kernels);
        }
    }

    private static final String RESOURCE = "/native/liblory_kernels.so";
    private static final Found FOUND = load();

    private NativeLibrary() {}

    static Found found() {
        return FOUND;
    }

    private static Found load() {
        try (InputStream library = NativeLibrary.class.getResourceAsStream(RESOURCE)) {
            if (library == null) {
                return none("none were built");
            }
            Path file = Files.createTempFile("lory_kernels", ".so");
            try {
                Files.copy(library, file, StandardCopyOption.REPLACE_EXISTING);
                return test(SymbolLookup.libraryLookup(file, Arena.global()));
            } finally {
                Files.deleteIfExists(file); // stays mapped
            }
        } catch (IOException | IllegalArgumentException e) {
            return none("they could not be loaded: " + e.getMessage());
        }
    }

    private static Found test(SymbolLookup library) {
        long set = instructionSet(library);
        List<NativeKernels> candidates = new java.util.ArrayList<>();
        if (set >= 512) {
            candidates.add(NativeKernels.find(library, "avx512"));
        }
        if (set >= 256) {
            candidates.add(NativeKernels.find(library, "avx2"));
        }
        if (candidates.isEmpty()) {
            return none("this processor has neither AVX2 nor AVX-512 VNNI");
        }
        for (NativeKernels kernels : candidates) {
            String difference = SelfTest.difference(kernels);
            if (!difference.isEmpty()) {
                return none(kernels.name() + " was refused: " + difference);
            }
        }
        return new Found(candidates, "");
    }

    private static long instructionSet(SymbolLookup library) {
        try {
            return (long) Linker.nativeLinker()
                    .downcallHandle(
                            library.findOrThrow("lory_instruction_set"), FunctionDescriptor.of(ValueLayout.JAVA_LONG))
                    .invokeExact();
        } catch (Throwable e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static Found none(String reason) {
        return new Found(List.of(), reason);
    }
}
