package dev.lory.cli;

import dev.lory.xlora.XLoraScalings;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;

/** A picture of what an X-LoRA's adapters counted: tokens from left to right, layers from top to bottom, a panel for each adapter. */
final class Heatmap {
    private static final int CELL = 10;
    private static final int LEFT = 110;
    private static final int GAP = 34;
    private static final int LABELS = 130;
    private static final int LEGEND = 200;
    /** A layer's name is written beside every so many rows. */
    private static final int NAMED = 5;

    private static final int LONGEST_LABEL = 18;
    /** Colours of 0, ½ and 1, light to dark, in between by the line. */
    private static final int[][] COLOURS = {{0xF7, 0xFB, 0xFF}, {0x6B, 0xAE, 0xD6}, {0x08, 0x30, 0x6B}};

    private final TracedAnswer answer;
    private final XLoraScalings scalings;
    private final StringBuilder out = new StringBuilder();

    Heatmap(TracedAnswer answer) {
        this.answer = answer;
        this.scalings = answer.scalings();
    }

    /** As an SVG document; the cells are images in it. */
    String svg() {
        List<String> layers = scalings.layers();
        int width = CELL * scalings.values().size();
        int height = CELL * layers.size();
        int panels = scalings.adapters().size();
        int bottom = panels * (height + GAP);
        int whole = LEFT + Math.max(width, LEGEND) + GAP;
        out.append(String.format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " font-family=\"sans-serif\" font-size=\"11\">%n",
                whole, bottom + LABELS + GAP, whole, bottom + LABELS + GAP));
        out.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        double[] mean = scalings.mean();
        for (int adapter = 0; adapter < panels; adapter++) {
            int top = adapter * (height + GAP) + GAP - CELL;
            text(LEFT, top - 6, "start", scalings.adapters().get(adapter) + ", mean " + decimal(mean[adapter]));
            image(LEFT, top, width, height, scalings.byLayer(adapter));
            for (int layer = 0; layer < layers.size(); layer += NAMED) {
                text(LEFT - 6, top + CELL * layer + CELL - 1, "end", layers.get(layer));
            }
        }
        prompt(width, bottom);
        tokens(bottom);
        legend(bottom + LABELS);
        return out.append("</svg>\n").toString();
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }

    private void text(int x, int y, String anchor, String text) {
        out.append(
                String.format("<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, escaped(text)));
    }

    private void image(int x, int y, int width, int height, double[][] cells) {
        BufferedImage image = new BufferedImage(cells[0].length, cells.length, BufferedImage.TYPE_INT_RGB);
        for (int row = 0; row < cells.length; row++) {
            for (int column = 0; column < cells[row].length; column++) {
                image.setRGB(column, row, colour(cells[row][column]));
            }
        }
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", png);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        out.append(String.format(
                "<image x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" preserveAspectRatio=\"none\""
                        + " style=\"image-rendering:pixelated\" href=\"data:image/png;base64,%s\"/>%n",
                x, y, width, height, Base64.getEncoder().encodeToString(png.toByteArray())));
    }

    private static int colour(double value) {
        double at = Math.clamp(value, 0, 1) * (COLOURS.length - 1);
        int below = (int) Math.min(at, COLOURS.length - 2);
        int rgb = 0;
        for (int channel = 0; channel < 3; channel++) {
            double from = COLOURS[below][channel];
            double to = COLOURS[below + 1][channel];
            rgb = rgb << 8 | (int) Math.round(from + (at - below) * (to - from));
        }
        return rgb;
    }

    /** A line where the prompt ends. */
    private void prompt(int width, int bottom) {
        int x = CELL * answer.promptTokens();
        if (x > 0 && x < width) {
            out.append(String.format(
                    "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#d62728\" stroke-dasharray=\"4 2\"/>%n",
                    LEFT + x, GAP - CELL, LEFT + x, bottom));
        }
    }

    private void tokens(int top) {
        for (int i = 0; i < answer.texts().size(); i++) {
            out.append(String.format(
                    "<text transform=\"translate(%d %d) rotate(90)\" font-family=\"monospace\" font-size=\"9\">%s</text>%n",
                    LEFT + CELL * i + 2, top, escaped(shown(answer.texts().get(i)))));
        }
    }

    private static String shown(String token) {
        StringBuilder shown = new StringBuilder();
        token.codePoints().limit(LONGEST_LABEL).forEach(character -> {
            switch (character) {
                case ' ' -> shown.append('␣');
                case '\n' -> shown.append('⏎');
                default -> shown.appendCodePoint(Character.isISOControl(character) ? '·' : character);
            }
        });
        return shown.toString();
    }

    private void legend(int y) {
        int steps = 50;
        double[][] scale = new double[1][steps + 1];
        for (int i = 0; i <= steps; i++) {
            scale[0][i] = (double) i / steps;
        }
        image(LEFT, y, LEGEND, CELL, scale);
        text(LEFT, y + 2 * CELL + 2, "start", "0");
        text(LEFT + LEGEND, y + 2 * CELL + 2, "end", "1");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
