/** Model files as they are on disk: safetensors, GGUF and their configuration, all seen with Hugging Face names and layout. */
@NullMarked
package dev.lory.format;

import org.jspecify.annotations.NullMarked;
