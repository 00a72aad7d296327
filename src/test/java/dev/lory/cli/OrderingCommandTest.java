package dev.lory.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class OrderingCommandTest {
    private static final Path ZEPHYR = Path.of("src/test/resources/fixtures/orderings/real/zephyr-7b-beta");

    @TempDir
    Path folder;

    /** Exit code, then what was printed. */
    private String run(String... arguments) {
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        PrintStream before = System.out;
        System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
        try {
            CommandLine line = Lory.commandLine();
            line.setErr(new PrintWriter(told, true, StandardCharsets.UTF_8));
            return line.execute(arguments) + "|" + told.toString(StandardCharsets.UTF_8);
        } finally {
            System.setOut(before);
        }
    }

    @Test
    void goesFromAConfigToAnEditedFile() throws IOException {
        String made = folder.resolve("made.json").toString();
        assertThat(run(
                        "ordering",
                        "create",
                        "--model=" + ZEPHYR,
                        "--base-model-id=HuggingFaceH4/zephyr-7b-beta",
                        "--targets=q_proj, k_proj,v_proj,o_proj,gate_proj,",
                        "--adapters=a,b",
                        "-o" + made))
                .isEqualTo("0|");
        assertThat(Files.readString(Path.of(made))).contains("\"model.layers.31.mlp.gate_proj\": 159}");

        String edited = folder.resolve("edited.json").toString();
        assertThat(run("ordering", "set-names", made, "--adapters=math", "-o" + edited))
                .isEqualTo("0|");
        assertThat(run("ordering", "add-preload", edited, "--adapters=bio", "--adapter-model-id=hub", "-o" + edited))
                .isEqualTo("0|");
        assertThat(run("ordering", "diff", made, edited))
                .isEqualTo("1|order[0]: a -> math\norder[1]: b -> nothing\npreload_adapters[bio]: nothing -> hub\n");
        assertThat(run("ordering", "diff", made, made)).isEqualTo("0|");
        assertThat(run("ordering", "validate", edited, "--model=" + ZEPHYR)).isEqualTo("0|");
    }

    @Test
    void saysEverythingThatIsWrong() throws IOException {
        Path file = Files.writeString(
                folder.resolve("bad.json"), "{\"order\": [\"a\", \"a\"], \"layers\": {\"m.0.q\": 1}}");
        assertThat(run("ordering", "validate", file.toString()))
                .startsWith("2|ERROR base_model_id: base_model_id is required\nERROR order[1]: order names `a` twice\n")
                .contains("ERROR layers: ");
        Path other = Files.writeString(
                folder.resolve("other.json"), "{\"base_model_id\": \"b\", \"layers\": {\"model.layers.0.mlp.x\": 0}}");
        assertThat(run("ordering", "validate", other.toString(), "--model=" + ZEPHYR))
                .startsWith("2|ERROR layers[\"model.layers.0.mlp.x\"]: Got a layer name `model.layers.0.mlp.x`");
        assertThat(run("ordering", "create", "--model=" + ZEPHYR, "--base-model-id=b", "--targets=x", "--adapters=a"))
                .isEqualTo("2|lory: no linear of the model is called `x`; it has [q_proj, k_proj, v_proj, o_proj,"
                        + " gate_proj, up_proj, down_proj, lm_head]\n");
        assertThat(run("ordering", "set-names", file.toString())).contains("lory: --adapters is required");
        assertThat(run("ordering", "set-names", folder + "/none.json", "--adapters=a"))
                .contains("/none.json cannot be read");
    }
}
