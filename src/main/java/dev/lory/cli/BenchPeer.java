package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.cli.BenchRun.Sample;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Another program that is measured in turn with this one: the last line it prints is a JSON object with its figures. */
final class BenchPeer {
    private final String command;
    private final List<Sample> samples = new ArrayList<>();
    private String name = "compared";

    /**
     * @param command for the shell
     * @param settings to be filled in where the command has their names in braces
     */
    BenchPeer(String command, Map<String, Object> settings) {
        String filled = command;
        for (var setting : settings.entrySet()) {
            filled = filled.replace(
                    "{" + setting.getKey() + "}", setting.getValue().toString());
        }
        this.command = filled;
    }

    /** Runs it once. @throws ServiceException {@code INVALID_CONFIGURATION} if that fails, or says something else */
    void measure() {
        JsonNode figures = figures(lastLine());
        name = figures.path("engine").asText(name);
        samples.add(new Sample(number(figures, "prefill_tok_s"), number(figures, "decode_tok_s")));
    }

    BenchResult result() {
        return new BenchResult(name, samples);
    }

    private JsonNode figures(String line) {
        try {
            return new ObjectMapper().readTree(line);
        } catch (JsonProcessingException e) {
            throw wrong("printed no JSON but: " + line);
        }
    }

    private double number(JsonNode figures, String field) {
        if (!figures.path(field).isNumber()) {
            throw wrong("printed no " + field + " but: " + figures);
        }
        return figures.path(field).asDouble();
    }

    private String lastLine() {
        try {
            Process process = new ProcessBuilder("sh", "-c", command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            if (status != 0) {
                throw wrong("ended with status " + status);
            }
            return out.lines().filter(line -> !line.isBlank()).reduce("", (before, line) -> line);
        } catch (IOException e) {
            throw wrong("could not be run: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw wrong("was interrupted");
        }
    }

    private ServiceException wrong(String what) {
        return new ServiceException(INVALID_CONFIGURATION, "--compare " + command + " " + what);
    }
}
