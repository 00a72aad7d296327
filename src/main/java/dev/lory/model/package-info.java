/** One forward pass for every architecture: a spec says what a model is made of, the decoder walks it. */
@NullMarked
package dev.lory.model;

import org.jspecify.annotations.NullMarked;
