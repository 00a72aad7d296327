package dev.lory.adapter;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.error.Finding;
import java.util.List;

/**
 * What a look at a PEFT folder found.
 *
 * @param usable whether no finding is an error
 * @param digest as {@link LoraWeights#digest}; empty if the files could not be read
 * @param rank the largest of any module
 * @param modules those it changes by a low-rank update, in definition order
 * @param findings all of them at once
 */
@JsonNaming(SnakeCaseStrategy.class)
public record AdapterReport(
        boolean usable, String digest, List<File> files, int rank, List<Module> modules, List<Finding> findings) {
    public AdapterReport {
        files = List.copyOf(files);
        modules = List.copyOf(modules);
        findings = List.copyOf(findings);
    }

    /** @param sha256 of its content, in hex */
    public record File(String name, long bytes, String sha256) {}

    /**
     * The update of one module, {@code scale · B·A}.
     *
     * @param norm Frobenius norm of the update as a whole: how far it moves the weight
     * @param normA of A {@code [r, in]}
     * @param normB of B {@code [out, r]}
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record Module(String path, int rank, float scale, double norm, double normA, double normB) {}
}
