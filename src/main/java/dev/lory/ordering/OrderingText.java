package dev.lory.ordering;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.core.util.Separators.Spacing;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.ordering.Ordering.PreloadAdapter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

/** Ordering files as bytes: written, and changed in one key, as the scripts of mistral.rs do. */
public final class OrderingText {
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
    /** On one line, spaced as Python's {@code json.dump} does. */
    private static final ObjectWriter WRITER = JSON.writer(new DefaultPrettyPrinter(Separators.createDefaultInstance()
                    .withObjectFieldValueSpacing(Spacing.AFTER)
                    .withObjectEntrySpacing(Spacing.AFTER)
                    .withArrayValueSpacing(Spacing.AFTER)
                    .withObjectEmptySeparator("")
                    .withArrayEmptySeparator(""))
            .withObjectIndenter(new DefaultPrettyPrinter.NopIndenter())
            .withArrayIndenter(new DefaultPrettyPrinter.NopIndenter()));

    private OrderingText() {}

    /** The file; {@code layers} and {@code preload_adapters} are left out where they are empty. */
    public static byte[] write(Ordering ordering) {
        ObjectNode file = JSON.createObjectNode();
        setOrder(file, ordering.order());
        if (!ordering.layers().isEmpty()) {
            ObjectNode layers = file.putObject("layers");
            ordering.layers().forEach(layers::put);
        }
        file.put("base_model_id", ordering.baseModelId());
        if (!ordering.preloadAdapters().isEmpty()) {
            setPreload(file, ordering.preloadAdapters());
        }
        return bytes(file);
    }

    /**
     * The file with another {@code order}; all else stays, also keys that are not known here.
     *
     * @throws dev.lory.error.ServiceException {@code INVALID_ORDERING} for a file that is wrong before or afterwards
     */
    public static byte[] withOrder(byte[] file, List<String> order) {
        return changed(file, tree -> setOrder(tree, order));
    }

    /** As {@link #withOrder}, for {@code preload_adapters}. */
    public static byte[] withPreloadAdapters(byte[] file, List<PreloadAdapter> adapters) {
        return changed(file, tree -> setPreload(tree, adapters));
    }

    private static byte[] changed(byte[] file, Consumer<ObjectNode> change) {
        OrderingFile.parse(file);
        try {
            ObjectNode tree = (ObjectNode) JSON.readTree(file);
            change.accept(tree);
            byte[] made = bytes(tree);
            OrderingFile.parse(made);
            return made;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void setOrder(ObjectNode file, List<String> order) {
        ArrayNode names = file.putArray("order");
        order.forEach(names::add);
    }

    private static void setPreload(ObjectNode file, List<PreloadAdapter> adapters) {
        ArrayNode list = file.putArray("preload_adapters");
        adapters.forEach(adapter ->
                list.addObject().put("name", adapter.name()).put("adapter_model_id", adapter.adapterModelId()));
    }

    private static byte[] bytes(ObjectNode file) {
        try {
            return WRITER.writeValueAsString(file).getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
