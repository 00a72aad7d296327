package dev.lory.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ServiceException;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class XLoraCommandTest {
    /** Three tokens at three linears in two layers, of two adapters. */
    private static final String TOLD = """
            {"adapters":["a","b<"],"tokens":3,"mean":[0.5,0.5],
             "sites":["model.layers.0.q","model.layers.0.v","model.layers.1.q"],
             "texts":["Hi"," &\\n","x"],
             "scalings":[[[1,0],[0,1],[0.25,0.75]],[[1,0],[1,0],[1,0]],[[0,1],[0,1],[0,1]]]}""";

    private static final String ANSWER =
            "{\"choices\":[{\"index\":0,\"adapter_scalings\":" + TOLD + "}],\"usage\":{\"prompt_tokens\":2}}";

    @TempDir
    Path folder;

    @Test
    void exportsWhatNumpyReads() throws Exception {
        Path file = folder.resolve("scalings.npy");
        assertThat(run(ANSWER, "export", "-o", file.toString())).isZero();
        ByteBuffer npy = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(npy.get(0) & 0xFF).isEqualTo(0x93);
        int data = 10 + npy.getShort(8);
        assertThat(data % 64).isZero();
        assertThat(new String(npy.array(), 10, data - 10, StandardCharsets.US_ASCII))
                .startsWith("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 2), }")
                .endsWith("\n");
        assertThat(npy.capacity()).isEqualTo(data + 3 * 3 * 2 * Float.BYTES);
        assertThat(npy.getFloat(data + 5 * Float.BYTES)).isEqualTo(0.75f);
    }

    @Test
    void exportsJson() throws Exception {
        Path file = folder.resolve("scalings.json");
        assertThat(run(ANSWER, "export", "-o", file.toString())).isZero();
        assertThat(JsonLines.JSON.readTree(file.toFile())).isEqualTo(JsonLines.JSON.readTree(TOLD));
    }

    @Test
    void drawsAPanelForEachAdapter() throws Exception {
        Path file = folder.resolve("map.svg");
        assertThat(run(ANSWER, "heatmap", "-o", file.toString())).isZero();
        var document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
        assertThat(document.getElementsByTagName("image").getLength()).isEqualTo(3); // and the legend's
        assertThat(document.getElementsByTagName("line").getLength()).isEqualTo(1);
        String svg = Files.readString(file);
        assertThat(svg).contains(">a, mean 0.", ">b&lt;, mean 0.", ">␣&amp;⏎<", ">model.layers.0<");
        Matcher image = Pattern.compile("base64,([^\"]+)").matcher(svg);
        assertThat(image.find()).isTrue();
        var pixels = ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(image.group(1))));
        assertThat(List.of(pixels.getWidth(), pixels.getHeight())).containsExactly(3, 2);
        assertThat(pixels.getRGB(1, 1) & 0xFFFFFF).isEqualTo(0x08306B);
        assertThat(pixels.getRGB(2, 0) & 0xFFFFFF).isEqualTo(0xF7FBFF);
        assertThat(pixels.getRGB(0, 0) & 0xFFFFFF).isEqualTo(0x6BAED6);
    }

    @Test
    void readsStreamsAndBatchLinesToo() {
        String stream = "data: {\"choices\":[{\"index\":0,\"delta\":{}}]}\n\ndata: {\"choices\":[{\"index\":0,"
                + "\"adapter_scalings\":" + TOLD.replace("\n", " ") + "}]}\n\ndata: [DONE]\n";
        assertThat(TracedAnswer.of(stream, 0).scalings().values()).hasSize(3);
        String line = "{\"custom_id\":\"1\",\"response\":{\"body\":" + ANSWER + "}}";
        assertThat(TracedAnswer.of(line, 0).promptTokens()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"choices":[{"index":0}]} | has no adapter_scalings
            {"choices":[{"index":1,"adapter_scalings":{}}]} | choice 0 of the answer has no adapter_scalings
            {"choices":[{"index":0,"adapter_scalings":{"adapters":["a"],"mean":[1]}}]} | has a summary only
            {"choices":[{"index":0,"adapter_scalings":{"adapters":["a"],"sites":["s"],"scalings":[[[1,2]]]}}]} | are not [token][1 sites][1 adapters]
            no answer | is not JSON
            """)
    void saysWhatAnAnswerLacks(String answer, String sentence) {
        assertThatThrownBy(() -> TracedAnswer.of(answer, 0))
                .isInstanceOf(ServiceException.class)
                .hasMessageContaining(sentence);
    }

    private int run(String answer, String... arguments) throws Exception {
        Path input = Files.writeString(folder.resolve("answer.json"), answer);
        String[] line = new String[arguments.length + 2];
        line[0] = "xlora";
        line[1] = arguments[0];
        line[2] = input.toString();
        System.arraycopy(arguments, 1, line, 3, arguments.length - 1);
        return Lory.commandLine().execute(line);
    }
}
