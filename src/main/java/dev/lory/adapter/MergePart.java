package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.adapter.AdapterTensors.Role;
import dev.lory.error.ServiceException;
import dev.lory.format.SafetensorsSource;
import dev.lory.tensor.Tensor;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** An adapter that is merged with others, its files open. */
record MergePart(String name, float weight, PeftConfig config, AdapterTensors tensors) implements AutoCloseable {
    /** @throws ServiceException {@code INVALID_ADAPTER} naming the adapter, and what it has that cannot be merged */
    static MergePart read(StoredMixture.Part part) {
        PeftConfig config = PeftConfig.read(part.folder().resolve(PeftFolder.CONFIG));
        if (config.dora() || !config.modulesToSave().isEmpty()) {
            throw new ServiceException(
                    INVALID_ADAPTER,
                    "`" + part.name() + "` cannot be merged: it has "
                            + (config.dora() ? "use_dora" : "modules_to_save")
                            + ", which is not a sum of low-rank updates");
        }
        SafetensorsSource source = SafetensorsSource.open(part.folder().resolve(PeftFolder.WEIGHTS));
        return new MergePart(part.name(), part.weight(), config, new AdapterTensors(source, finding -> {}));
    }

    /** Of the modules that it updates. */
    Set<String> paths() {
        return tensors.paths().stream().filter(this::updates).collect(Collectors.toSet());
    }

    boolean updates(String path) {
        Map<Role, String> names = tensors.of(path);
        return names.containsKey(Role.LORA_A) && names.containsKey(Role.LORA_B) || isEmbedding(path);
    }

    boolean isEmbedding(String path) {
        Map<Role, String> names = tensors.of(path);
        return names.containsKey(Role.EMBEDDING_A) && names.containsKey(Role.EMBEDDING_B);
    }

    /** {@code [r, in]}. */
    Tensor a(String path) {
        return tensor(path, isEmbedding(path) ? Role.EMBEDDING_A : Role.LORA_A);
    }

    /** {@code [out, r]}. */
    Tensor b(String path) {
        return tensor(path, isEmbedding(path) ? Role.EMBEDDING_B : Role.LORA_B);
    }

    private Tensor tensor(String path, Role role) {
        return tensors.source().tensor(Objects.requireNonNull(tensors.of(path).get(role)));
    }

    /** What its update of the module counts: its weight and its own scale there. */
    float factor(String path) {
        return weight * config.scale(path);
    }

    @Override
    public void close() {
        tensors.source().close();
    }
}
