/** Text to token ids and back, exactly as Hugging Face's tokenizers do it, with special tokens under our own control. */
@NullMarked
package dev.lory.tokenizer;

import org.jspecify.annotations.NullMarked;
