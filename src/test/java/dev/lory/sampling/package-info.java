@NullMarked
package dev.lory.sampling;

import org.jspecify.annotations.NullMarked;
