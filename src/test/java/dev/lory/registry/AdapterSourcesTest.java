package dev.lory.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterSourcesTest {
    @TempDir
    Path folder;

    @BeforeEach
    void twoAdaptersInTheRootAndOneOutside() throws IOException {
        for (String name : new String[] {"root/b", "root/a", "root/deep/c", "outside/d"}) {
            Files.createDirectories(folder.resolve(name));
            Files.writeString(folder.resolve(name).resolve("adapter_config.json"), "{}");
        }
        Files.createSymbolicLink(folder.resolve("root/link-out"), folder.resolve("outside"));
        Files.createDirectories(folder.resolve("root/config-out"));
        Files.createSymbolicLink(
                folder.resolve("root/config-out/adapter_config.json"), folder.resolve("outside/d/adapter_config.json"));
        Files.createSymbolicLink(
                folder.resolve("root/deep/c/adapter_model.safetensors"), folder.resolve("root/a/adapter_config.json"));
        Files.createSymbolicLink(folder.resolve("root/link-in"), folder.resolve("root/deep"));
    }

    @Test
    void findsTheFoldersDirectlyInTheRoot() {
        assertThat(sources().found())
                .extracting(Path::getFileName)
                .map(Path::toString)
                .containsExactly("a", "b", "config-out");
        assertThat(sources().isInRoot("a")).isTrue();
        assertThat(sources().isInRoot("deep/c")).isFalse();
        assertThat(sources().isInRoot("../outside/d")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "deep/c", "not/there/yet", "link-in/c", "deep/../a"})
    void letsClientsNameWhatIsInside(String source) {
        assertThatCode(() -> sources().requireInside(source)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"..", "../outside/d", "/etc", "link-out/d", "link-out/not/there", "config-out", "a/../../outside"
            })
    void refusesClientsWhatIsOutside(String source) {
        assertThatThrownBy(() -> sources().requireInside(source))
                .hasMessageContaining("`" + source + "`")
                .hasMessageContaining("outside the adapters root");
    }

    @Test
    void readsAbsoluteSourcesAsTheyAre() {
        assertThat(sources().folder(folder.resolve("outside/d").toString())).isEqualTo(folder.resolve("outside/d"));
        assertThat(sources().folder("a")).isEqualTo(folder.resolve("root/a"));
    }

    private AdapterSources sources() {
        Path root = folder.resolve("root");
        return new AdapterSources(new AdaptersConfig() {
            @Override
            public Optional<Path> order() {
                return Optional.empty();
            }

            @Override
            public Map<String, String> adapter() {
                return Map.of();
            }

            @Override
            public Adapters adapters() {
                return new Adapters() {
                    @Override
                    public Path root() {
                        return root;
                    }

                    @Override
                    public Path uploads() {
                        return folder.resolve("uploads");
                    }
                };
            }
        });
    }
}
