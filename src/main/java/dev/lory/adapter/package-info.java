/** PEFT LoRA adapters: read, checked, resident in slots, applied to the rows that run with them. */
@NullMarked
package dev.lory.adapter;

import org.jspecify.annotations.NullMarked;
