package dev.lory.worker;

import dev.lory.xlora.XLoraPackage;
import java.nio.file.Files;
import java.nio.file.Path;

/** What is behind an adapter's name. */
public enum AdapterKind {
    /** One PEFT adapter, a low-rank update of constant weight (arXiv:2106.09685). */
    LORA,
    /** Several, mixed for each token by a classifier (arXiv:2402.07148). */
    XLORA;

    /** By the files of a folder, whether they are sound or not. */
    public static AdapterKind of(Path folder) {
        return XLoraPackage.isIn(folder) ? XLORA : LORA;
    }

    /** Whether a folder is meant to be either. */
    public static boolean isAdapter(Path folder) {
        return Files.exists(folder.resolve("adapter_config.json")) || XLoraPackage.isIn(folder);
    }
}
