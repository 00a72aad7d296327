package dev.lory.registry;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.registry.OrderingService.OnUpload;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The adapters and the ordering file that the configuration names. */
@ApplicationScoped
class StartConfiguration {
    private final AdaptersConfig config;
    private final AdapterSources sources;
    private final AdapterService adapters;
    private final OrderingService orderings;

    StartConfiguration(
            AdaptersConfig config, AdapterSources sources, AdapterService adapters, OrderingService orderings) {
        this.config = config;
        this.sources = sources;
        this.adapters = adapters;
        this.orderings = orderings;
    }

    /** Registers all of them; what is there already stays. The folders of the root come first: an ordering may name them. */
    void register() {
        for (Path folder : sources.found()) {
            String name = String.valueOf(folder.getFileName());
            adapters.register(name, name, Actor.CONFIGURATION);
        }
        // Named on the command line, so relative to where that was typed, not to the root.
        config.adapter()
                .forEach((name, path) -> adapters.register(
                        name, Path.of(path).toAbsolutePath().normalize().toString(), Actor.CONFIGURATION));
        config.order().ifPresent(this::upload);
    }

    private void upload(Path file) {
        try {
            String name = String.valueOf(file.getFileName()).replaceFirst("\\.json$", "");
            orderings.create(
                    name, Files.readAllBytes(file), "given at start", OnUpload.ACTIVATE_IF_NEW, Actor.CONFIGURATION);
        } catch (IOException e) {
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION,
                    "the ordering file " + file + " cannot be read: " + ServiceException.reason(e),
                    e);
        } catch (ServiceException e) {
            throw new ServiceException(e.code(), file + ": " + e.detail(), e.members());
        }
    }
}
